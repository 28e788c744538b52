// tests/support/sacrificed_child.hpp — a forked process that does something and is killed in the
// middle.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <stdexcept>

namespace bp::test {

/// Runs `work` in a child. The child calls `reached` when it has come to the point where it is to
/// die, and does not return from it; then it is killed with SIGKILL. False: it ended before it came
/// there. To be used while this process has one thread.
inline bool kill_at(const std::function<void(const std::function<void()>& reached)>& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error{"unable to make a pipe"};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const std::function<void()> reached = [&ends] {
      if (::write(ends[1], "!", 1) != 1) ::_exit(3);
      for (;;) ::pause();
    };
    try {
      work(reached);
    } catch (...) {
      ::_exit(2);
    }
    ::_exit(1);
  }
  ::close(ends[1]);
  char sign = 0;
  const bool came_there = ::read(ends[0], &sign, 1) == 1;
  ::close(ends[0]);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  return came_there && WIFSIGNALED(status);
}

}  // namespace bp::test
