#include "engine/channel.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace bp {

namespace {

using Clock = std::chrono::steady_clock;

/// Adds the time of its own life to a counter: how long one end of an edge had to wait.
class Stopwatch {
 public:
  explicit Stopwatch(std::atomic<std::int64_t>& total) : total_{total} {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    total_ += std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - began_).count();
  }

 private:
  std::atomic<std::int64_t>& total_;
  Clock::time_point began_ = Clock::now();
};

}  // namespace

Bell::Bell(const asio::any_io_executor& io)
    : timer_{std::make_shared<asio::steady_timer>(io, Clock::time_point::max())} {}

asio::awaitable<void> Bell::wait() {
  timer_->expires_at(Clock::time_point::max());
  // The wait always "fails" with operation_aborted: being cancelled is how the bell rings.
  [[maybe_unused]] auto rung = co_await timer_->async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<bool> Bell::wait_until(Clock::time_point deadline) {
  timer_->expires_at(deadline);
  [[maybe_unused]] auto rung = co_await timer_->async_wait(asio::as_tuple(asio::use_awaitable));
  co_return Clock::now() < deadline;
}

void Bell::ring() noexcept {
  if (!armed_) return;
  armed_ = false;
  // Timers belong to the I/O thread. Posting also closes the gap between a coroutine's check and
  // its wait: the handler cannot run before that coroutine has suspended.
  asio::post(timer_->get_executor(), [timer = timer_] { timer->cancel(); });
}

Channel::Channel(const asio::any_io_executor& io, std::size_t slots)
    : slots_{slots}, room_{io}, data_{io} {}

asio::awaitable<void> Channel::push(Chunk chunk) {
  if (try_push(chunk)) co_return;
  const Stopwatch blocked{counters_.push_blocked_ns};
  do {
    co_await room_.wait();
  } while (!try_push(chunk));
}

void Channel::push_blocking(Chunk chunk) {
  std::unique_lock lock{mutex_};
  if (!failure_ && queue_.size() == slots_) {
    const Stopwatch blocked{counters_.push_blocked_ns};
    thread_pushing_ = true;
    can_push_.wait(lock, [this] { return failure_ || queue_.size() < slots_; });
    thread_pushing_ = false;
  }
  if (failure_) throw Error{*failure_};
  enqueue(std::move(chunk));
}

asio::awaitable<Channel::Offer> Channel::offer(Chunk chunk,
                                               std::optional<Clock::time_point> deadline) {
  const auto attempt = [this, &chunk]() -> std::optional<Offer> {
    const std::lock_guard lock{mutex_};
    if (failure_) return Offer::dead;
    if (queue_.size() == slots_) {
      room_.arm();
      return std::nullopt;
    }
    enqueue(std::move(chunk));
    return Offer::taken;
  };
  std::optional<Offer> offered = attempt();
  if (offered) co_return *offered;

  const Stopwatch blocked{counters_.push_blocked_ns};
  bool in_time = true;
  while (!offered && in_time) {
    in_time = co_await room_.wait_until(deadline.value_or(Clock::time_point::max()));
    offered = attempt();
  }
  co_return offered.value_or(Offer::late);
}

asio::awaitable<std::optional<Chunk>> Channel::pop() {
  Popped popped = try_pop();
  if (popped.settled) co_return std::move(popped.chunk);
  const Stopwatch blocked{counters_.pop_blocked_ns};
  do {
    co_await data_.wait();
    popped = try_pop();
  } while (!popped.settled);
  co_return std::move(popped.chunk);
}

std::optional<Chunk> Channel::pop_blocking() {
  std::unique_lock lock{mutex_};
  if (!failure_ && !finished_ && queue_.empty()) {
    const Stopwatch blocked{counters_.pop_blocked_ns};
    thread_popping_ = true;
    can_pop_.wait(lock, [this] { return failure_ || finished_ || !queue_.empty(); });
    thread_popping_ = false;
  }
  if (failure_) throw Error{*failure_};
  return dequeue();
}

void Channel::finish() noexcept {
  const std::lock_guard lock{mutex_};
  finished_ = true;
  data_.ring();
  can_pop_.notify_all();
}

void Channel::fail(const Error& why) noexcept {
  std::deque<Chunk> dropped;  // released after the lock: returning blocks takes the pool's lock
  const std::lock_guard lock{mutex_};
  if (failure_) return;
  failure_ = why;
  dropped.swap(queue_);
  counters_.fill = 0;
  data_.ring();
  room_.ring();
  can_pop_.notify_all();
  can_push_.notify_all();
}

bool Channel::drained() const noexcept {
  const std::lock_guard lock{mutex_};
  return end_told_ && !failure_;
}

bool Channel::try_push(Chunk& chunk) {
  const std::lock_guard lock{mutex_};
  if (failure_) throw Error{*failure_};
  if (queue_.size() == slots_) {
    room_.arm();
    return false;
  }
  enqueue(std::move(chunk));
  return true;
}

Channel::Popped Channel::try_pop() {
  const std::lock_guard lock{mutex_};
  if (failure_) throw Error{*failure_};
  if (queue_.empty() && !finished_) {
    data_.arm();
    return {.settled = false, .chunk = std::nullopt};
  }
  return {.settled = true, .chunk = dequeue()};
}

void Channel::enqueue(Chunk chunk) {
  counters_.bytes_pushed += chunk.bytes().size();
  queue_.push_back(std::move(chunk));
  counters_.fill = static_cast<std::uint32_t>(queue_.size());
  data_.ring();
  if (thread_popping_) can_pop_.notify_one();
}

std::optional<Chunk> Channel::dequeue() {
  if (queue_.empty()) {
    end_told_ = true;
    return std::nullopt;
  }
  std::optional<Chunk> front{std::move(queue_.front())};
  queue_.pop_front();
  counters_.bytes_popped += front->bytes().size();
  counters_.fill = static_cast<std::uint32_t>(queue_.size());
  room_.ring();
  if (thread_pushing_) can_push_.notify_one();
  return front;
}

}  // namespace bp
