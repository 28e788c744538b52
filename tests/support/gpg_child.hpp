// tests/support/gpg_child.hpp — the gpg that a filter runs, seen and killed from outside.
#pragma once

#include "engine/stage.hpp"
#include "tests/support/memory_stages.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>

namespace bp::test {

/// The gpg child of this process, found as the kernel sees it.
inline std::optional<pid_t> gpg_child() {
  std::ifstream children{"/proc/self/task/" + std::to_string(::gettid()) + "/children"};
  for (pid_t pid = 0; children >> pid;) {
    std::ifstream comm{"/proc/" + std::to_string(pid) + "/comm"};
    std::string name;
    if (std::getline(comm, name) && name == "gpg") return pid;
  }
  return std::nullopt;
}

/// Gives `before` bytes, kills gpg, and then either goes on giving or stays silent until it is
/// stopped.
class GpgKillingSource final : public Source {
 public:
  GpgKillingSource(std::size_t before, bool silent_after)
      : before_{before}, silent_{silent_after} {}

  asio::awaitable<void> produce(Outlet& out, StageContext& ctx) override {
    const Bytes first = pattern(before_);
    co_await out.write(first);
    asio::steady_timer timer{ctx.io()};
    std::optional<pid_t> victim;
    // gpg is started by another stage of this thread: give way until it is there.
    while (!(victim = gpg_child())) {
      timer.expires_after(std::chrono::milliseconds{1});
      co_await timer.async_wait(asio::use_awaitable);
    }
    ::kill(*victim, SIGKILL);
    if (silent_) {
      timer.expires_at(asio::steady_timer::time_point::max());
      co_await timer.async_wait(asio::use_awaitable);
    }
    const Bytes rest = pattern(3'000'000, 2);
    co_await out.write(rest);
  }

 private:
  std::size_t before_;
  bool silent_;
};

}  // namespace bp::test
