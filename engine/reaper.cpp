#include "engine/reaper.hpp"

#include "engine/channel.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <list>
#include <utility>

namespace bp {

namespace {

using Clock = std::chrono::steady_clock;

/// To the whole group: what a dumper forked must not outlive it. Falls back to the child alone while it has
/// not yet become a group leader.
void signal_group(pid_t pid, int signal_number) {
  if (::kill(-pid, signal_number) != 0) ::kill(pid, signal_number);
}

std::chrono::nanoseconds cpu_of(const rusage& used) {
  const auto of = [](const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

}  // namespace

struct Reaper::State {
  struct Dying {
    Dying(const asio::any_io_executor& io, Child adopted)
        : child{std::move(adopted)}, pidfd{io}, kill_timer{io} {}
    Child child;
    asio::posix::stream_descriptor pidfd;
    asio::steady_timer kill_timer;
  };

  State(asio::any_io_executor executor, std::chrono::milliseconds patience)
      : io{executor}, grace{patience}, bell{executor} {}

  void kill_at(const std::shared_ptr<State>& self, const std::shared_ptr<Dying>& dying,
               Clock::time_point moment) {
    if (!dying->child.may_kill) return;
    dying->kill_timer.expires_at(moment);
    dying->kill_timer.async_wait([self, dying](const boost::system::error_code& stopped) {
      if (!stopped) signal_group(dying->child.pid, SIGKILL);
    });
  }

  asio::any_io_executor io;
  std::chrono::milliseconds grace;
  std::list<std::shared_ptr<Dying>> all;
  Bell bell;
};

Reaper::Reaper(asio::any_io_executor io, std::chrono::milliseconds grace)
    : state_{std::make_shared<State>(std::move(io), grace)} {}

Reaper::~Reaper() = default;

void Reaper::adopt(Child child) {
  const auto state = state_;
  const auto dying = std::make_shared<State::Dying>(state->io, std::move(child));
  state->all.push_back(dying);
  signal_group(dying->child.pid, SIGTERM);
  state->kill_at(state, dying, Clock::now() + state->grace);

  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, dying->child.pid, 0));
  const auto reap = [state, dying](const boost::system::error_code&) {
    dying->kill_timer.cancel();
    // The zombie keeps its group's number from being used again: end what is left of the group first.
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(dying->child.pid), &info, WEXITED | WNOWAIT);
    ::kill(-dying->child.pid, SIGKILL);
    rusage used{};
    int status = 0;
    ::wait4(dying->child.pid, &status, 0, &used);
    if (dying->child.gone) dying->child.gone(cpu_of(used));
    state->all.remove(dying);
    state->bell.ring();
  };
  if (fd < 0) {
    // Without a descriptor there is nothing to wait on but the child itself: end it at once.
    signal_group(dying->child.pid, SIGKILL);
    reap({});
    return;
  }
  dying->pidfd.assign(fd);
  dying->pidfd.async_wait(asio::posix::stream_descriptor::wait_read, reap);
}

void Reaper::hurry(std::chrono::milliseconds grace) {
  state_->grace = grace;
  for (const auto& dying : state_->all) state_->kill_at(state_, dying, Clock::now() + grace);
}

asio::awaitable<std::vector<std::string>> Reaper::drain(std::chrono::milliseconds patience) {
  const auto state = state_;
  const Clock::time_point until = Clock::now() + state->grace + patience;
  while (!state->all.empty() && Clock::now() < until) {
    state->bell.arm();
    [[maybe_unused]] const bool rung = co_await state->bell.wait_until(until);
  }
  std::vector<std::string> remaining;
  for (const auto& dying : state->all) remaining.push_back(dying->child.name);
  co_return remaining;
}

}  // namespace bp
