#include "config/diagnostics.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace bp::config {

std::string Location::text() const {
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
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
  for (const Diagnostic& diagnostic : sorted) {
    if (!lines.empty()) lines += '\n';
    lines += diagnostic.text();
  }
  throw Error{Errc::config, std::move(lines)};
}

}  // namespace bp::config
