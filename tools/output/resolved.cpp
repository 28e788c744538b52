#include "tools/output/resolved.hpp"

#include <fmt/format.h>

#include <map>

namespace bp::tools {

std::string resolved_text(const stages::LoadedJob& job) {
  // A table is read by two layers: what the job owns, then what its type owns.
  std::vector<std::string> order;
  std::map<std::string, std::vector<config::ResolvedOption>> tables;
  for (const auto* layer : {&job.spec().resolved, &job.resolved()}) {
    for (const auto& [title, options] : *layer) {
      if (!tables.contains(title)) order.push_back(title);
      auto& table = tables[title];
      table.insert(table.end(), options.begin(), options.end());
    }
  }
  std::string text;
  for (const std::string& title : order) {
    text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", title);
    for (const config::ResolvedOption& option : tables[title]) {
      text += fmt::format("{:<16} = {:<40}  # {}\n", option.key, option.value, option.origin);
    }
  }
  return text;
}

}  // namespace bp::tools
