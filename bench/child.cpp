#include "bench/child.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace bp::bench {

namespace {

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void open(int fd, const char* path, int flags) {
    ::posix_spawn_file_actions_addopen(&actions_, fd, path, flags, 0);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

pid_t start(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  FileActions files;
  files.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  files.open(STDOUT_FILENO, "/dev/null", O_WRONLY);
  pid_t pid = 0;
  const int failure =
      ::posix_spawnp(&pid, words.front(), files.get(), nullptr, words.data(), environ);
  if (failure != 0) {
    throw Error{Errc::internal,
                fmt::format("unable to start '{}': {}", argv.front(), system_reason(failure))};
  }
  return pid;
}

}  // namespace

ChildRun run_child(const std::vector<std::string>& argv) {
  const auto began = std::chrono::steady_clock::now();
  const pid_t pid = start(argv);
  int status = 0;
  rusage used{};
  while (::wait4(pid, &status, 0, &used) < 0) {
    if (errno != EINTR) throw Error{Errc::internal, "lost a child: " + system_reason(errno)};
  }
  constexpr int killed = 128;
  return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : killed + WTERMSIG(status),
          .wall = std::chrono::steady_clock::now() - began,
          .usage = usage_of(used)};
}

std::vector<std::string> shell(const std::string& command) {
  return {"bash", "-c", "set -o pipefail; " + command};
}

std::string own_program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

bool is_installed(const std::string& tool) {
  const char* path = std::getenv("PATH");
  std::istringstream folders{path != nullptr ? path : "/usr/bin:/bin"};
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + '/' + tool).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace bp::bench
