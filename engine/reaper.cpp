#include "engine/reaper.hpp"

#include "engine/channel.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <list>
#include <utility>

namespace bp {

namespace {

using Clock = std::chrono::steady_clock;

/// How often a child is looked at when no descriptor is left to wait on.
constexpr std::chrono::milliseconds look_every{20};

/// How long a process may take to disappear after KILL on a busy machine.
constexpr std::chrono::milliseconds time_to_die{1000};

/// To the whole group: what a dumper forked must not outlive it.
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

std::optional<ChildEnd> collect_child(pid_t pid) noexcept {
  siginfo_t info{};
  const int looked = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG);
  if (looked == 0 && info.si_pid == 0) return std::nullopt;
  if (looked == 0) ::kill(-pid, SIGKILL);
  // Without a child to wait for (somebody set SIGCHLD to be ignored) its end is unknown, which is
  // no success.
  ChildEnd end{.wait_status = SIGKILL, .cpu = {}};
  rusage used{};
  if (::wait4(pid, &end.wait_status, 0, &used) == pid) end.cpu = cpu_of(used);
  return end;
}

struct Reaper::State : std::enable_shared_from_this<State> {
  struct Dying {
    Dying(const asio::any_io_executor& io, Child adopted)
        : child{std::move(adopted)}, pidfd{io}, kill_timer{io}, look_timer{io} {}
    Child child;
    Clock::time_point kill_at;
    asio::posix::stream_descriptor pidfd;
    asio::steady_timer kill_timer, look_timer;
  };
  using Handle = std::shared_ptr<Dying>;

  State(asio::any_io_executor executor, std::chrono::milliseconds patience)
      : io{executor}, grace{patience}, bell{executor} {}

  void kill_after_grace(const Handle& dying) {
    dying->kill_at = Clock::now() + grace;
    if (!dying->child.may_kill) return;
    dying->kill_timer.expires_at(dying->kill_at);
    dying->kill_timer.async_wait([self = shared_from_this(), dying](const auto& stopped) {
      if (!stopped) signal_group(dying->child.pid, SIGKILL);
    });
  }

  void wait_for_end(const Handle& dying) {
    const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, dying->child.pid, 0));
    if (pidfd < 0) return keep_looking(dying);
    boost::system::error_code refused;
    dying->pidfd.assign(pidfd, refused);
    if (refused) {
      ::close(pidfd);
      return keep_looking(dying);
    }
    dying->pidfd.async_wait(asio::posix::stream_descriptor::wait_read,
                            [self = shared_from_this(), dying](const auto&) {
                              if (!self->bury(dying)) self->keep_looking(dying);
                            });
  }

  /// The fall-back: out of descriptors, or a wait that was cut short.
  void keep_looking(const Handle& dying) {
    dying->look_timer.expires_after(look_every);
    dying->look_timer.async_wait([self = shared_from_this(), dying](const auto&) {
      if (!self->bury(dying)) self->keep_looking(dying);
    });
  }

  bool bury(const Handle& dying) {
    const std::optional<ChildEnd> end = collect_child(dying->child.pid);
    if (!end) return false;
    dying->kill_timer.cancel();
    if (dying->child.gone) dying->child.gone(end->cpu);
    all.remove(dying);
    bell.ring();
    if (all.empty()) kept.reset();
    return true;
  }

  /// When the last of those that are left will have had its grace.
  [[nodiscard]] Clock::time_point last_kill() const {
    auto last = Clock::time_point::min();
    for (const Handle& dying : all) last = std::max(last, dying->kill_at);
    return last;
  }

  asio::any_io_executor io;
  std::chrono::milliseconds grace;
  std::optional<std::chrono::milliseconds> hurried;  ///< the most patience there is in a hurry
  std::list<Handle> all;
  Bell bell;
  std::shared_ptr<void> kept;
};

Reaper::Reaper(asio::any_io_executor io, std::chrono::milliseconds grace)
    : state_{std::make_shared<State>(std::move(io), grace)} {}

Reaper::~Reaper() = default;

void Reaper::adopt(Child child) {
  const auto dying = std::make_shared<State::Dying>(state_->io, std::move(child));
  state_->all.push_back(dying);
  signal_group(dying->child.pid, SIGTERM);
  signal_group(dying->child.pid, SIGCONT);  // a stopped process cannot end
  state_->kill_after_grace(dying);
  state_->wait_for_end(dying);
}

void Reaper::hurry(std::chrono::milliseconds grace) {
  state_->grace = grace;
  state_->hurried = std::max(grace, time_to_die);
  for (const auto& dying : state_->all) state_->kill_after_grace(dying);
  state_->bell.ring();
}

asio::awaitable<std::vector<std::string>> Reaper::drain(std::chrono::milliseconds patience) {
  const auto state = state_;
  const auto until = [&] {
    return state->last_kill() + std::min(patience, state->hurried.value_or(patience));
  };
  while (!state->all.empty() && Clock::now() < until()) {
    state->bell.arm();
    [[maybe_unused]] const bool rung = co_await state->bell.wait_until(until());
  }
  std::vector<std::string> remaining;
  for (const auto& dying : state->all) remaining.push_back(dying->child.name);
  co_return remaining;
}

void Reaper::keep(std::shared_ptr<void> needed) {
  state_->kept = std::move(needed);
}

}  // namespace bp
