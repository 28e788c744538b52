// stages/support/spawn.hpp — fork and exec, with everything taken away that a child must not
// inherit.
//
// Not Boost.Process: between fork and exec its 1.81 launcher runs asio's fork hooks, which take
// locks and allocate, and after a failed exec it calls exit(), which runs our atexit handlers a
// second time. It leaves that child as a zombie, lets signal mask, ignored signals and descriptors
// through, and its error pipe may sit on a number that was granted. What was left to use of it was
// fork() itself.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

/// A descriptor of ours that the child sees under a number of its own.
struct GrantedFd {
  int ours;
  int childs;
};

/// What a child is given; it gets nothing else.
struct SpawnOptions {
  std::string program;  ///< a path
  std::vector<std::string> argv;
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string working_directory;         ///< empty: ours
  std::vector<GrantedFd> descriptors;    ///< 0, 1 and 2 belong here, too
  std::optional<int> nice{};             ///< added to our own niceness
  std::optional<int> io_priority{};      ///< from parse_io_priority()
};

/// Starts a child: leader of its own session and process group, all signals at their defaults and
/// none blocked, killed when the calling *thread* ends (PDEATHSIG), so call it only from the thread
/// that lives as long as the process. Returns when the program runs; throws Errc::source, leaving
/// no zombie, when it cannot. The caller must wait for the pid.
[[nodiscard]] pid_t spawn(const SpawnOptions& options);

/// "idle", "best-effort" or "best-effort:0" to "best-effort:7" as the kernel's number; empty for
/// anything else.
[[nodiscard]] std::optional<int> parse_io_priority(std::string_view text);

}  // namespace bp::stages
