#include "stages/support/child_process.hpp"

#include "stages/support/child_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace bp::stages {

namespace {

using Clock = std::chrono::steady_clock;
using boost::system::error_code;

constexpr std::chrono::seconds stderr_patience{2};

/// Notes down, for its own life, since when we wait.
class Waiting {
 public:
  explicit Waiting(std::optional<Clock::time_point>& since) : since_{since} {
    since_ = Clock::now();
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { since_.reset(); }

 private:
  std::optional<Clock::time_point>& since_;
};

}  // namespace

std::string ExitStatus::text() const {
  if (signal == 0) return fmt::format("exit status {}", code);
  const char* const words = ::sigdescr_np(signal);
  return fmt::format("killed by signal {} ({})", signal, words != nullptr ? words : "unknown");
}

asio::awaitable<std::size_t> ChildProcess::State::read(std::shared_ptr<State> state,
                                                       std::span<std::byte> space) {
  if (state->failure) state->throw_interruption();
  const Waiting waiting{state->limits.reading};
  const PipeEnd::Moved moved = co_await state->out.read_some(space);
  const error_code& problem = moved.problem;
  if (problem == asio::error::eof) co_return 0;
  if (problem == asio::error::operation_aborted) state->throw_interruption();
  if (problem) {
    throw Error{Errc::source,
                fmt::format("unable to read from '{}': {}", state->name, problem.message())};
  }
  state->last_activity = Clock::now();
  state->note_read(moved.bytes);
  co_return moved.bytes;
}

asio::awaitable<bool> ChildProcess::State::fill(std::shared_ptr<State> state, Buffer& buffer) {
  while (!buffer.full()) {
    const std::size_t count = co_await read(state, buffer.free_space());
    if (count == 0) co_return false;
    buffer.fill(count);
  }
  co_return true;
}

asio::awaitable<bool> ChildProcess::State::feed(std::shared_ptr<State> state,
                                                std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (state->failure) state->throw_interruption();
    if (state->limits.ended || !state->in.is_open()) co_return false;
    const Waiting waiting{state->limits.feeding};
    const PipeEnd::Moved moved = co_await state->in.write_some(bytes);
    const error_code& problem = moved.problem;
    if (problem == asio::error::broken_pipe || state->limits.ended) co_return false;
    if (problem == asio::error::operation_aborted) state->throw_interruption();
    if (problem) {
      throw Error{Errc::source,
                  fmt::format("unable to write to '{}': {}", state->name, problem.message())};
    }
    state->last_activity = Clock::now();
    bytes = bytes.subspan(moved.bytes);
  }
  co_return true;
}

asio::awaitable<void> ChildProcess::State::drain_stderr(std::shared_ptr<State> state) {
  std::array<char, 4096> block;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (;;) {
    const auto room = asio::buffer(block);
    const auto result =
        co_await state->err.async_read_some(room, asio::as_tuple(asio::use_awaitable));
    if (std::get<0>(result)) break;
    state->stderr_tail.append({block.data(), std::get<1>(result)});
  }
  state->stderr_ended = true;
  state->stderr_bell.cancel();
}

asio::awaitable<ExitStatus> ChildProcess::State::exited(std::shared_ptr<State> state) {
  {
    const Waiting waiting{state->limits.ending};
    while (!state->limits.ended) {
      if (state->failure) state->throw_interruption();
      // Being cancelled is how the bell rings.
      [[maybe_unused]] auto rung =
          co_await state->end_bell.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
  if (!state->stderr_ended) {
    state->stderr_bell.expires_after(stderr_patience);
    [[maybe_unused]] auto rung =
        co_await state->stderr_bell.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return state->collect();
}

ChildProcess ChildProcess::start(StageContext& ctx, ChildOptions options) {
  if (options.argv.empty()) throw Error{Errc::internal, "a child without a program"};
  ChildProcess child{std::make_shared<State>(ctx, options)};
  child.state_->launch(options);  // if this throws with a child already there, the Reaper gets it
  return child;
}

ChildProcess::ChildProcess(std::shared_ptr<State> state) : state_{std::move(state)} {}
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  ChildProcess old{std::move(*this)};
  state_ = std::move(other.state_);
  return *this;
}
ChildProcess::~ChildProcess() {
  if (state_) state_->let_go();
}

asio::awaitable<std::size_t> ChildProcess::read_some(std::span<std::byte> space) {
  return State::read(state_, space);
}
asio::awaitable<bool> ChildProcess::fill(Buffer& buffer) {
  return State::fill(state_, buffer);
}
asio::awaitable<bool> ChildProcess::feed(std::span<const std::byte> bytes) {
  return State::feed(state_, bytes);
}
std::size_t ChildProcess::unread_input() const {
  int bytes = 0;
  if (::ioctl(state_->in.native_handle(), FIONREAD, &bytes) != 0) {
    throw Error{Errc::internal,
                fmt::format("unable to look into a pipe: {}", system_reason(errno))};
  }
  return static_cast<std::size_t>(bytes);
}
bool ChildProcess::has_ended() const noexcept {
  siginfo_t info{};
  const auto id = static_cast<id_t>(state_->pid);
  return ::waitid(P_PID, id, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid != 0;
}
void ChildProcess::finish_stdin() noexcept {
  state_->in.close();  // closing a pipe cannot lose what was written to it
  state_->limits.fed = false;
}
asio::awaitable<ExitStatus> ChildProcess::exited() {
  return State::exited(state_);
}

pid_t ChildProcess::pid() const noexcept {
  return state_->pid;
}
const std::string& ChildProcess::name() const noexcept {
  return state_->name;
}
std::string ChildProcess::stderr_tail() const {
  return state_->stderr_tail.text();
}
std::string ChildProcess::last_words(std::size_t count) const {
  return fmt::format("{}", fmt::join(message_lines(stderr_tail(), count), "; "));
}
Clock::time_point ChildProcess::last_activity() const noexcept {
  return state_->last_activity;
}

}  // namespace bp::stages
