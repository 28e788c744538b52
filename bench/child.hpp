// bench/child.hpp — a program run from its start to its end, with what it used.
#pragma once

#include "bench/measure.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bp::bench {

/// How a child ended. `usage.peak_rss_bytes` is of the largest process among it and its children.
struct ChildRun {
  int status = 0;  ///< exit status, or 128 + signal
  Seconds wall{};
  Usage usage;
};

/// Runs `argv` (argv[0] is looked up in PATH) with stdin and stdout at /dev/null, and waits for it.
/// Throws Errc::internal when it cannot be started.
[[nodiscard]] ChildRun run_child(const std::vector<std::string>& argv);

/// A command line through bash with pipefail: every part of a pipe counts.
[[nodiscard]] std::vector<std::string> shell(const std::string& command);

/// This program, to be run again.
[[nodiscard]] std::string own_program();

/// Whether PATH has it.
[[nodiscard]] bool is_installed(const std::string& tool);

}  // namespace bp::bench
