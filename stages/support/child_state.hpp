// stages/support/child_state.hpp — what stands behind a ChildProcess. Internal to it.
#pragma once

#include "stages/support/child_limits.hpp"
#include "stages/support/child_process.hpp"
#include "stages/support/pipe_end.hpp"
#include "stages/support/tail_buffer.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace bp::stages {

/// Shared by the ChildProcess and everything that waits on its behalf, so that each of them may go
/// first.
struct ChildProcess::State : std::enable_shared_from_this<State> {
  State(StageContext& context, const ChildOptions& options);

  void launch(const ChildOptions& options);
  /// Throws what cut a wait short: a limit, or else the cancellation of the caller.
  [[noreturn]] void throw_interruption() const;
  /// Throws when more has come since its end than a pipe can hold: somebody else is writing.
  void note_read(std::size_t count);
  /// After its end: reaps it.
  ExitStatus collect();
  /// Ends everything that waits for it, and gives it to the Reaper if it has not been collected.
  void let_go() noexcept;

  // Static, to own what they use: a coroutine may outlive the ChildProcess that it was called on.
  static asio::awaitable<std::size_t> read(std::shared_ptr<State> state,
                                           std::span<std::byte> space);
  static asio::awaitable<bool> fill(std::shared_ptr<State> state, Buffer& buffer);
  static asio::awaitable<bool> feed(std::shared_ptr<State> state, std::span<const std::byte> bytes);
  static asio::awaitable<ExitStatus> exited(std::shared_ptr<State> state);
  static asio::awaitable<void> drain_stderr(std::shared_ptr<State> state);

  StageContext* ctx;
  std::string name;
  bool sudo;
  ChildLimits limits;
  pid_t pid = 0;
  bool collected = false;
  bool gone = false;  ///< nobody cares any more: handlers under way do nothing
  std::optional<Error> failure;

  PipeEnd out, in;
  asio::posix::stream_descriptor err, pidfd;
  asio::steady_timer check_timer, end_bell, stderr_bell;
  TailBuffer stderr_tail{std::size_t{64} << 10};
  bool stderr_ended = false;
  std::size_t read_since_end = 0;
  std::chrono::steady_clock::time_point last_activity = std::chrono::steady_clock::now();

 private:
  void watch_end();
  void check_limits();
  void fail(Error why);
};

}  // namespace bp::stages
