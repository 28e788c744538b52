// engine/channel.hpp — a bounded edge between two stages, and the only place the engine waits.
//
// One producer, one consumer, each either a coroutine on the I/O thread or a thread of its own.
// Capacity counts blocks of storage, not bytes. The end of a stream is stated (finish), never
// inferred: a producer that vanishes is a failure (fail), which drops what is queued and throws at
// both ends.
#pragma once

#include "engine/chunk.hpp"
#include "engine/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

namespace bp {

namespace asio = boost::asio;

/// A coroutine's alarm clock: wait() sleeps until ring(), which any thread may call under the
/// owner's lock. Rings only when somebody sleeps: waking costs some 15 µs, not waking costs
/// nothing.
class Bell {
 public:
  explicit Bell(const asio::any_io_executor& io);

  /// To be called under the owner's lock, before wait(): the next ring() is for us.
  void arm() noexcept { armed_ = true; }
  /// Sleeps until ring(), or until cancelled. Never throws for either. I/O thread.
  [[nodiscard]] asio::awaitable<void> wait();
  /// The same, at most until `deadline` (false: it passed). I/O thread.
  [[nodiscard]] asio::awaitable<bool> wait_until(std::chrono::steady_clock::time_point deadline);
  /// Wakes an armed sleeper. Under the owner's lock; any thread.
  void ring() noexcept;

 private:
  bool armed_ = false;
  std::shared_ptr<asio::steady_timer>
      timer_;  ///< shared with posted rings, which may outlive the bell
};

/// What the live view, the bench and the barrier read. Written by the edge's two ends; any thread.
struct EdgeCounters {
  std::atomic<std::uint64_t> bytes_pushed{0}, bytes_popped{0};
  std::atomic<std::int64_t> push_blocked_ns{0}, pop_blocked_ns{0};
  std::atomic<std::uint32_t> fill{0};
};

/// finish() is the only way to an end of stream. Losing the producer is not one: the runner calls
/// fail() for any stage that did not return normally, and the consumer then throws instead.
class Channel {
 public:
  enum class Offer : std::uint8_t { taken, dead, late };

  Channel(const asio::any_io_executor& io, std::size_t slots);

  /// Producing end. Waits while the edge is full; throws the failure once there is one.
  [[nodiscard]] asio::awaitable<void> push(Chunk chunk);  ///< I/O thread
  void push_blocking(Chunk chunk);                        ///< worker thread
  /// push() for a tee, to which the death of one leg is no failure: `dead` instead of a throw, and
  /// `late` when the edge stayed full until `deadline`. I/O thread.
  [[nodiscard]] asio::awaitable<Offer> offer(
      Chunk chunk, std::optional<std::chrono::steady_clock::time_point> deadline);

  /// Consuming end. An empty optional means the producer said finish() and all was delivered.
  [[nodiscard]] asio::awaitable<std::optional<Chunk>> pop();  ///< I/O thread
  [[nodiscard]] std::optional<Chunk> pop_blocking();          ///< worker thread

  /// Runner only, I/O thread. Finishing twice, or after a failure, changes nothing.
  void finish() noexcept;
  /// Voids the stream for both ends: the first failure wins, queued chunks are dropped at once.
  void fail(const Error& why) noexcept;

  /// The producer finished, the consumer took everything and was told that this was all: what a
  /// barrier may trust. Having taken the last chunk is not enough: who does not wait for the end
  /// may also have dropped a part of that chunk.
  [[nodiscard]] bool drained() const noexcept;
  [[nodiscard]] const EdgeCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::size_t slots() const noexcept { return slots_; }

 private:
  struct Popped {
    bool settled;
    std::optional<Chunk> chunk;
  };
  bool try_push(Chunk& chunk);
  Popped try_pop();
  void enqueue(Chunk chunk);
  std::optional<Chunk> dequeue();

  const std::size_t slots_;
  mutable std::mutex mutex_;
  std::deque<Chunk> queue_;
  bool finished_ = false;
  bool end_told_ = false;  ///< to the consumer, after its last chunk
  std::optional<Error> failure_;
  std::condition_variable can_push_, can_pop_;
  bool thread_pushing_ = false, thread_popping_ = false;
  Bell room_, data_;
  EdgeCounters counters_;
};

}  // namespace bp
