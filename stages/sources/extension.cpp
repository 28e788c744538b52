#include "stages/sources/extension.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bp::stages {

namespace {

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
}

}  // namespace

std::string read_extension(config::OptionReader& options) {
  std::string extension = options.text("extension", "");
  if (extension.empty()) return extension;
  if (!extension.starts_with('.')) extension.insert(0, 1, '.');
  const bool plain = std::ranges::all_of(extension, is_allowed);
  if (!plain || extension.ends_with('.') || extension.find("..") != std::string::npos) {
    options.fail("extension", fmt::format("'{}' is no file name extension", extension),
                 "Use letters, digits and dots, like \"sql\" or \".tar.xz\".");
  }
  return extension;
}

}  // namespace bp::stages
