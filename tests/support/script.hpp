// tests/support/script.hpp — what a scripted stage does at which point of its life.
//
// Nothing here sleeps: who hangs waits at the job's gate, which the fixture opens when the run is
// over, so that even a stage that ignored everything comes home before the test ends.
#pragma once

#include "engine/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace bp::test {

namespace asio = boost::asio;

/// Closed until open(). open() belongs to the I/O thread, or to a time when nobody runs it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    news_.notify_all();
    for (const auto& sleeper : sleepers_) sleeper->cancel();
  }
  [[nodiscard]] bool is_open() const {
    const std::lock_guard lock{mutex_};
    return open_;
  }

  /// For coroutines; cancellable as any wait is.
  [[nodiscard]] asio::awaitable<void> wait() {
    const auto io = co_await asio::this_coro::executor;
    const auto sleeper =
        std::make_shared<asio::steady_timer>(io, asio::steady_timer::time_point::max());
    sleepers_.push_back(sleeper);
    while (!is_open()) {
      [[maybe_unused]] auto woken =
          co_await sleeper->async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
  /// For threads; false when `stop` came first.
  bool wait_blocking(std::stop_token stop) {
    std::unique_lock lock{mutex_};
    return news_.wait(lock, std::move(stop), [this] { return open_; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  bool open_ = false;
  std::vector<std::shared_ptr<asio::steady_timer>> sleepers_;
};

/// One thing that a stage does at one point.
struct Step {
  enum class Act : std::uint8_t { nothing, fails, returns, hangs, ignores_stop };
  Act act = Act::nothing;
  std::size_t at = 0;  ///< transfer only: after so many bytes
  std::optional<Error> error;
  std::function<void()> reached = nullptr;  ///< called on the stage's thread
};

/// The whole part of one stage.
struct Script {
  Step preflight, transfer, commit, abort;
  bool blocking = false;            ///< on a thread of its own
  std::optional<Error> grant = {};  ///< thrown by grant(), which is a plain function
  bool throws_at_once = false;      ///< fails in the part that is no coroutine yet
};

inline Step step(Step::Act act, std::size_t at = 0) {
  return {.act = act, .at = at, .error = std::nullopt, .reached = nullptr};
}

inline Script fails_after(std::size_t bytes) {
  return {.preflight = {}, .transfer = step(Step::Act::fails, bytes), .commit = {}, .abort = {}};
}
inline Script returns_after(std::size_t bytes) {
  return {.preflight = {}, .transfer = step(Step::Act::returns, bytes), .commit = {}, .abort = {}};
}
inline Script hangs_after(std::size_t bytes) {
  return {.preflight = {}, .transfer = step(Step::Act::hangs, bytes), .commit = {}, .abort = {}};
}
inline Script ignores_stop_after(std::size_t bytes) {
  return {
      .preflight = {}, .transfer = step(Step::Act::ignores_stop, bytes), .commit = {}, .abort = {}};
}
inline Script at_preflight(Step::Act act) {
  return {.preflight = step(act), .transfer = {}, .commit = {}, .abort = {}};
}
inline Script at_commit(Step::Act act) {
  return {.preflight = {}, .transfer = {}, .commit = step(act), .abort = {}};
}
/// Fails after `bytes` and does this when it is told to clean up.
inline Script at_abort(Step::Act act, std::size_t bytes = 0) {
  Script script = fails_after(bytes);
  script.abort = step(act);
  return script;
}
inline Script blocking(Script script) {
  script.blocking = true;
  return script;
}

/// Where in its stream a stage has to act.
class Cue {
 public:
  explicit Cue(const Step& step)
      : left_{step.act == Step::Act::nothing ? std::numeric_limits<std::size_t>::max() : step.at} {}
  /// Of the next `size` bytes, those that come before the act.
  [[nodiscard]] std::size_t before(std::size_t size) const { return std::min(size, left_); }
  void pass(std::size_t bytes) { left_ -= bytes; }
  /// True once, when the point is reached.
  [[nodiscard]] bool due() {
    if (left_ != 0) return false;
    left_ = std::numeric_limits<std::size_t>::max();
    return true;
  }

 private:
  std::size_t left_;
};

inline Error failure_of(const Step& step) {
  return step.error.value_or(Error{Errc::destination, "scripted failure"});
}

/// Acts, in a coroutine; `step` outlives it. Returns when the stage may go on (Act::returns is the
/// stage's own affair).
[[nodiscard]] inline asio::awaitable<void> perform(const Step& step, Gate& gate) {
  if (step.reached) step.reached();
  if (step.act == Step::Act::fails) throw failure_of(step);
  if (step.act == Step::Act::hangs) co_await gate.wait();
  if (step.act == Step::Act::ignores_stop) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await gate.wait();
  }
}

/// The same on a thread.
inline void perform_blocking(const Step& step, Gate& gate, std::stop_token stop) {
  if (step.reached) step.reached();
  if (step.act == Step::Act::fails) throw failure_of(step);
  if (step.act == Step::Act::hangs && !gate.wait_blocking(std::move(stop))) {
    throw Error{Errc::cancelled, "stopped"};
  }
  if (step.act == Step::Act::ignores_stop) gate.wait_blocking(std::stop_token{});
}

}  // namespace bp::test
