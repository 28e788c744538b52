// tests/support/processes.hpp — which processes there are, for tests that kill them or count them.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace bp::test {

struct ProcessState {
  char letter = 'X';  ///< as in ps: 'Z' is a zombie
  pid_t parent = 0;
};

/// Empty when there is no such process.
inline std::optional<ProcessState> look_at(pid_t pid) {
  std::FILE* const stat = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "re");
  if (stat == nullptr) return std::nullopt;
  ProcessState state;
  const int fields = std::fscanf(stat, "%*d (%*[^)]) %c %d", &state.letter, &state.parent);
  std::fclose(stat);
  return fields == 2 ? std::optional{state} : std::nullopt;
}

/// False for a zombie, too: one that its new parent has not collected yet is as dead as it gets.
inline bool is_running(pid_t pid) {
  const auto state = look_at(pid);
  return state && state->letter != 'Z' && state->letter != 'X';
}

/// Returns when it is dead, or after ten seconds.
inline void await_death(pid_t pid) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (is_running(pid) && std::chrono::steady_clock::now() < until) std::this_thread::yield();
}

/// Zombies included.
inline std::vector<pid_t> children_of_ours() {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    const auto state = pid > 0 ? look_at(pid) : std::nullopt;
    if (state && state->parent == getpid()) children.push_back(pid);
  }
  return children;
}

}  // namespace bp::test
