// stages/support/ordered_workers.hpp — work on several threads, results in the order of submission.
//
// A ring of slots, which the caller keeps: it fills the slot that next() names, submit()s it, and
// take()s finished slots back oldest first. Whoever owns the ring's memory knows how much there is,
// so work in flight is bounded by construction. One slot is in one pair of hands at a time: the
// caller's until submit(), a worker's until take() has returned it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace bp::stages {

/// All calls from one thread, the owner's.
class OrderedWorkers {
 public:
  /// Does the work of `slot` on the thread of `worker` (both count from 0). No two calls at one
  /// time share a slot or a worker, so what belongs to either needs no lock.
  using Work = std::function<void(std::size_t worker, std::size_t slot)>;

  OrderedWorkers(const std::string& thread_name, std::size_t workers, std::size_t slots, Work work);
  OrderedWorkers(const OrderedWorkers&) = delete;
  OrderedWorkers& operator=(const OrderedWorkers&) = delete;
  /// Waits for work that a worker has begun, drops the rest, joins.
  ~OrderedWorkers();

  /// True when every slot is submitted: take() one before the next submit().
  [[nodiscard]] bool full() const noexcept { return submitted_ - taken_ == done_.size(); }
  /// True when no slot is submitted: there is nothing to take().
  [[nodiscard]] bool idle() const noexcept { return submitted_ == taken_; }
  /// The slot to fill next. Precondition: not full().
  [[nodiscard]] std::size_t next() const noexcept;

  /// Hands next() to the workers. Throws what any worker threw. Precondition: not full().
  void submit();
  /// Waits for the oldest submitted slot and gives it back. Throws what any worker threw, at once.
  /// Precondition: not idle().
  [[nodiscard]] std::size_t take();

  /// What the workers have used so far; any work under way not yet counted.
  [[nodiscard]] std::chrono::nanoseconds cpu_time() const;

 private:
  void serve(const std::stop_token& stop, std::size_t worker);

  const Work work_;
  mutable std::mutex mutex_;
  std::condition_variable_any work_waits_;
  std::condition_variable work_done_;
  // How many slots have got so far, ever; job number n lives in slot n modulo the ring's size.
  std::uint64_t submitted_ = 0;  ///< written by the owner, under the lock
  std::uint64_t begun_ = 0;
  std::uint64_t taken_ = 0;  ///< the owner's alone
  std::vector<bool> done_;   ///< by slot
  std::exception_ptr failure_;
  std::chrono::nanoseconds cpu_time_{};
  std::vector<std::jthread> threads_;
};

}  // namespace bp::stages
