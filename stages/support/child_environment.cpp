#include "stages/support/child_environment.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace bp::stages {

namespace {

bool may_execute(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string search_path() {
  const char* const path = std::getenv("PATH");
  return path != nullptr ? path : std::string{default_path};
}

bool allowed(std::string_view name) {
  constexpr std::array<std::string_view, 6> names{"HOME", "USER",     "LOGNAME",
                                                  "LANG", "LANGUAGE", "TZ"};
  return name.starts_with("LC_") || std::ranges::find(names, name) != names.end();
}

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (name.find('/') != std::string::npos) {
    return may_execute(name) ? std::optional{name} : std::nullopt;
  }
  const std::string path = search_path();
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = path.substr(begin, end - begin);
    begin = end + 1;
    if (!folder.starts_with('/')) continue;
    std::string candidate = fmt::format("{}/{}", folder, name);
    if (may_execute(candidate)) return candidate;
  }
  return std::nullopt;
}

std::vector<std::string> child_environment(
    const std::vector<std::pair<std::string, std::string>>& extra) {
  std::vector<std::string> result;
  const auto given = [&extra](std::string_view name) {
    return std::ranges::any_of(extra, [name](const auto& entry) { return entry.first == name; });
  };
  if (!given("PATH")) result.push_back("PATH=" + search_path());
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const std::string_view name = text.substr(0, text.find('='));
    if (allowed(name) && !given(name)) result.emplace_back(text);
  }
  for (const auto& [name, value] : extra) result.push_back(fmt::format("{}={}", name, value));
  return result;
}

}  // namespace bp::stages
