// tests/support/command.hpp — what a real tool makes of some bytes.
#pragma once

#include "tests/support/memory_stages.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace bp::test {

struct CommandResult {
  int status;  ///< exit status, or -1 for a death by signal
  Bytes output;
};

/// Runs a shell command with `input` on its stdin; stderr is dropped.
inline CommandResult pipe_through(const std::string& command, const Bytes& input) {
  // From an unnamed file, not from a pipe: nobody has to write while we read.
  const auto dispose = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(dispose)> file{std::tmpfile()};
  const bool written =
      file && (input.empty() ||  // whose data() may be null
               std::fwrite(input.data(), 1, input.size(), file.get()) == input.size());
  if (!written || std::fflush(file.get()) != 0) {
    throw std::runtime_error{"unable to write a temporary file"};
  }
  const std::string line = "exec 2>/dev/null </proc/" + std::to_string(getpid()) + "/fd/" +
                           std::to_string(fileno(file.get())) + "; " + command;
  std::FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error{"unable to start " + command};

  CommandResult result{.status = -1, .output = {}};
  std::array<std::byte, 65'536> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.insert(result.output.end(), buffer.begin(),
                         buffer.begin() + static_cast<long>(n));
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  return result;
}

}  // namespace bp::test
