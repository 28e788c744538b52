// stages/support/pipe_end.hpp — our end of a pipe to or from a child, in large helpings.
//
// gpg reads and writes 8 KiB at a time. Who waits for readiness is woken for each of them, moves 8
// KiB and waits again: half of a core for nothing. So a wait begins with a few short pauses, in
// which the pipe fills or drains by hundreds of KiB; only a pipe that stays as it is is watched.
#pragma once

#include "stages/support/unique_fd.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace bp::stages {

namespace asio = boost::asio;

/// I/O thread. One operation at a time; it must outlive the one under way.
class PipeEnd {
 public:
  struct Moved {
    boost::system::error_code problem;  ///< eof, broken_pipe, operation_aborted, …
    std::size_t bytes = 0;
  };

  explicit PipeEnd(asio::any_io_executor io);
  PipeEnd(const PipeEnd&) = delete;
  PipeEnd& operator=(const PipeEnd&) = delete;
  ~PipeEnd() { cancel(); }

  /// Takes over the descriptor, and makes it non-blocking.
  void assign(UniqueFd fd) noexcept;
  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(fd_); }
  [[nodiscard]] int native_handle() const noexcept { return fd_.get(); }

  /// Waits for something to read. `space` must live until the call is done.
  [[nodiscard]] asio::awaitable<Moved> read_some(std::span<std::byte> space);
  /// Waits for room. `bytes` must live until the call is done.
  [[nodiscard]] asio::awaitable<Moved> write_some(std::span<const std::byte> bytes);

  /// Ends the operation under way, if there is one, with operation_aborted.
  void cancel() noexcept;
  /// cancel(), then closes it.
  void close() noexcept;
  /// cancel(), then it is the caller's.
  [[nodiscard]] UniqueFd release() noexcept;

 private:
  using Direction = asio::posix::descriptor_base::wait_type;
  template <class Attempt>
  asio::awaitable<Moved> move(Direction direction, Attempt attempt);
  asio::awaitable<boost::system::error_code> wait(Direction direction, int fruitless);

  asio::any_io_executor io_;
  UniqueFd fd_;
  asio::steady_timer pause_;
  std::optional<asio::posix::stream_descriptor> watch_;  ///< while it is watched
  std::uint64_t cancellations_ = 0;
};

}  // namespace bp::stages
