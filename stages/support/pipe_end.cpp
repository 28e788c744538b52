#include "stages/support/pipe_end.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <tuple>
#include <utility>

namespace bp::stages {

namespace {

using boost::system::error_code;

/// gpg moves about 150 KiB in it, tar 500: a good part of a pipe of 1 MiB.
constexpr std::chrono::microseconds pause_time{250};
/// Then nobody is at work on the other side.
constexpr int max_pauses = 20;

}  // namespace

PipeEnd::PipeEnd(asio::any_io_executor io) : io_{std::move(io)}, pause_{io_} {}

void PipeEnd::assign(UniqueFd fd) noexcept {
  fd_ = std::move(fd);
  const int flags = ::fcntl(fd_.get(), F_GETFL);
  ::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK);  // cannot fail for a descriptor that is open
}

asio::awaitable<PipeEnd::Moved> PipeEnd::read_some(std::span<std::byte> space) {
  return move(Direction::wait_read,
              [space](int fd) { return ::read(fd, space.data(), space.size()); });
}

asio::awaitable<PipeEnd::Moved> PipeEnd::write_some(std::span<const std::byte> bytes) {
  return move(Direction::wait_write,
              [bytes](int fd) { return ::write(fd, bytes.data(), bytes.size()); });
}

template <class Attempt>
asio::awaitable<PipeEnd::Moved> PipeEnd::move(Direction direction, Attempt attempt) {
  const std::uint64_t before = cancellations_;
  for (int fruitless = 0;; ++fruitless) {
    if (!fd_ || cancellations_ != before) co_return Moved{asio::error::operation_aborted};
    const ssize_t count = attempt(fd_.get());
    if (count > 0) co_return Moved{{}, static_cast<std::size_t>(count)};
    if (count == 0) co_return Moved{asio::error::eof};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return Moved{error_code{errno, boost::system::system_category()}};
    const error_code problem = co_await wait(direction, fruitless);
    if (problem) co_return Moved{problem};
  }
}

asio::awaitable<error_code> PipeEnd::wait(Direction direction, int fruitless) {
  if (fruitless < max_pauses) {
    pause_.expires_after(pause_time);
    const auto paused = co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return std::get<0>(paused);
  }
  watch_.emplace(io_);
  error_code problem;
  watch_->assign(fd_.get(), problem);
  if (!problem) {
    const auto ready = co_await watch_->async_wait(direction, asio::as_tuple(asio::use_awaitable));
    problem = std::get<0>(ready);
    if (watch_) std::ignore = watch_->release();
  }
  watch_.reset();
  co_return problem;
}

void PipeEnd::cancel() noexcept {
  ++cancellations_;
  pause_.cancel();
  // The descriptor is ours: the watch lets go of it, and does not close it.
  if (watch_ && watch_->is_open()) std::ignore = watch_->release();
}

void PipeEnd::close() noexcept {
  cancel();
  fd_.reset();
}

UniqueFd PipeEnd::release() noexcept {
  cancel();
  return std::move(fd_);
}

}  // namespace bp::stages
