#include "stages/support/ordered_workers.hpp"

#include "engine/blocking.hpp"

#include <pthread.h>

#include <cassert>
#include <utility>

namespace bp::stages {

OrderedWorkers::OrderedWorkers(const std::string& thread_name, std::size_t workers,
                               std::size_t slots, Work work)
    : work_{std::move(work)}, done_(slots) {
  threads_.reserve(workers);
  for (std::size_t worker = 0; worker < workers; ++worker) {
    threads_.emplace_back([this, worker](const std::stop_token& stop) { serve(stop, worker); });
    pthread_setname_np(threads_.back().native_handle(), thread_name.substr(0, 15).c_str());
  }
}

OrderedWorkers::~OrderedWorkers() {
  // All of them before the first join, so that none begins another slot meanwhile.
  for (std::jthread& thread : threads_) thread.request_stop();
}

std::size_t OrderedWorkers::next() const noexcept {
  assert(!full());
  return submitted_ % done_.size();
}

void OrderedWorkers::submit() {
  const std::size_t slot = next();
  {
    const std::lock_guard lock{mutex_};
    if (failure_) std::rethrow_exception(failure_);
    done_[slot] = false;
    ++submitted_;
  }
  work_waits_.notify_one();
}

std::size_t OrderedWorkers::take() {
  assert(!idle());
  const std::size_t slot = taken_ % done_.size();
  std::unique_lock lock{mutex_};
  work_done_.wait(lock, [this, slot] { return failure_ || done_[slot]; });
  if (failure_) std::rethrow_exception(failure_);
  ++taken_;
  return slot;
}

std::chrono::nanoseconds OrderedWorkers::cpu_time() const {
  const std::lock_guard lock{mutex_};
  return cpu_time_;
}

void OrderedWorkers::serve(const std::stop_token& stop, std::size_t worker) {
  std::unique_lock lock{mutex_};
  for (;;) {
    work_waits_.wait(lock, stop, [this] { return begun_ != submitted_; });
    if (stop.stop_requested() || failure_) return;
    const std::size_t slot = begun_++ % done_.size();
    lock.unlock();

    const auto before = cpu_time_of_this_thread();
    std::exception_ptr failure;
    try {
      work_(worker, slot);
    } catch (...) {
      failure = std::current_exception();  // for the owner's next call
    }
    const auto used = cpu_time_of_this_thread() - before;

    lock.lock();
    cpu_time_ += used;
    done_[slot] = true;
    if (failure && !failure_) failure_ = failure;
    work_done_.notify_one();
  }
}

}  // namespace bp::stages
