#include "config/diagnostics.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace bp::config {

std::string Location::text() const {
  const std::string_view name = file ? std::string_view{*file} : std::string_view{};
  return line == 0 ? std::string{name} : fmt::format("{}:{}:{}", name, line, column);
}

std::string Diagnostic::text() const {
  std::string text = fmt::format("{}: {}", location.text(), message);
  if (!hint.empty()) text += fmt::format(" ({})", hint);
  return text;
}

void Diagnostics::add(Location location, std::string message, std::string hint) {
  all_.push_back({std::move(location), std::move(message), std::move(hint)});
}

void Diagnostics::throw_if_any() const {
  if (all_.empty()) return;
  std::vector<Diagnostic> sorted = all_;
  std::ranges::stable_sort(sorted, {}, [](const Diagnostic& diagnostic) {
    return std::tuple{diagnostic.location.line, diagnostic.location.column};
  });
  std::string lines;
  for (std::size_t i = 0; i < std::min(sorted.size(), most_shown); ++i) {
    if (i != 0) lines += '\n';
    lines += sorted[i].text();
  }
  if (sorted.size() > most_shown)
    lines += fmt::format("\n… and {} more", sorted.size() - most_shown);
  throw Error{Errc::config, std::move(lines)};
}

}  // namespace bp::config
