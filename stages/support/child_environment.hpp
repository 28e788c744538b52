// stages/support/child_environment.hpp — where a child's program and its environment come from.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bp::stages {

/// Finds a program as execvp would, in our PATH. Empty when there is none that we may execute.
/// Entries of PATH that are not absolute are skipped: they mean another program in every directory.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

/// PATH HOME USER LOGNAME LANG LC_* TZ of ours, and `extra`, which wins: "NAME=value" each.
[[nodiscard]] std::vector<std::string> child_environment(
    const std::vector<std::pair<std::string, std::string>>& extra);

}  // namespace bp::stages
