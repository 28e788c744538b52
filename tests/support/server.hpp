// tests/support/server.hpp — a real server for the tests of one suite, started by a script.
#pragma once

#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace bp::test {

/// A port of 127.0.0.1 on which nobody listens now.
inline int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool found =
      probe >= 0 && ::bind(probe, generic, size) == 0 && ::getsockname(probe, generic, &size) == 0;
  if (probe >= 0) ::close(probe);
  if (!found) throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

/// What a shell command prints, stdout and stderr; throws when it fails.
inline std::string shell(const std::string& command) {
  std::FILE* const pipe = popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error{"unable to start " + command};
  std::string output;
  std::array<char, 4096> block{};
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), pipe)) {
    output.append(block.data(), n);
  }
  if (pclose(pipe) != 0) throw std::runtime_error{command + ": " + output};
  return output;
}

/// Ended with its life. `pid_file` is a path below its folder.
class Server {
 public:
  Server(const std::string& script, std::string pid_file, int stop_signal)
      : pid_file_{std::move(pid_file)}, stop_signal_{stop_signal} {
    // With its output elsewhere: the server keeps what it inherits.
    const std::string log = folder_ / "up.log";
    shell("'" + script + "' '" + path() + "' " + std::to_string(port_) + " >'" + log + "'");
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    pid_t pid = 0;
    std::ifstream{folder_ / pid_file_} >> pid;
    if (pid > 0 && ::kill(pid, stop_signal_) == 0) await_death(pid);
  }

  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] std::string path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_{short_place};
  std::string pid_file_;
  int stop_signal_;
  int port_ = free_port();
};

/// True when a shell says so: "command -v mariadbd". Without what it needs a test may be skipped,
/// except where CI says that all must run.
inline bool is_installed(const std::string& condition) {
  return std::system(("{ " + condition + "; } >/dev/null 2>&1").c_str()) == 0;
}
inline bool must_run() {
  return std::getenv("CI") != nullptr;
}

}  // namespace bp::test
