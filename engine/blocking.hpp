// engine/blocking.hpp — stages around libraries that block or burn CPU, each on a thread of its
// own.
//
// Never a shared pool: with fewer threads than blocking stages a pool deadlocks. A thread cannot be
// abandoned, so neither can the wait for it: whoever wants a blocking stage gone voids its edges
// and asks its stop token, and the runner's quarantine deals with a thread that does not come back.
#pragma once

#include "engine/stage.hpp"

#include <functional>
#include <memory>
#include <string>

namespace bp {

/// What the calling thread has used since it began: the difference of two is the cost of what lay
/// between.
[[nodiscard]] std::chrono::nanoseconds cpu_time_of_this_thread() noexcept;

/// One thread that runs one piece of work after another, for libraries that care which thread
/// calls. I/O thread only. The destructor joins: destroy it only when no work is under way.
class WorkerThread {
 public:
  explicit WorkerThread(std::string thread_name);
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  ~WorkerThread();

  /// Runs `work` on the thread and resumes here when it returned or threw. Cancelling the caller
  /// does not end the wait; the caller's cancellation state is as before when this returns. Returns
  /// the CPU time that the work used.
  [[nodiscard]] asio::awaitable<std::chrono::nanoseconds> run(std::function<void()> work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Runs `work` on a new thread; otherwise as WorkerThread::run().
[[nodiscard]] asio::awaitable<std::chrono::nanoseconds> on_own_thread(std::string thread_name,
                                                                      std::function<void()> work);

/// A filter around a library that blocks or burns CPU. Gets its own thread for the whole run.
class BlockingFilter : public Filter {
 public:
  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext& ctx) final;

 protected:
  virtual void transform_blocking(BlockingInlet& in, BlockingOutlet& out, StageContext& ctx) = 0;
};

/// A source that blocks (files). Gets its own thread for the whole run.
class BlockingSource : public Source {
 public:
  asio::awaitable<void> produce(Outlet& out, StageContext& ctx) final;

 protected:
  virtual void produce_blocking(BlockingOutlet& out, StageContext& ctx) = 0;
};

/// A destination that blocks (files, SMB). All calls run on one thread, for libraries that care.
class BlockingSink : public Sink {
 public:
  asio::awaitable<void> prepare(Inlet& in, StageContext& ctx) final;
  asio::awaitable<Receipt> commit(StageContext& ctx) final;
  asio::awaitable<void> abort(StageContext& ctx) final;

 protected:
  virtual void prepare_blocking(BlockingInlet& in, StageContext& ctx) = 0;
  virtual Receipt commit_blocking(StageContext& ctx) = 0;
  virtual void abort_blocking(StageContext& ctx) = 0;

 private:
  WorkerThread& thread(const StageContext& ctx);
  std::unique_ptr<WorkerThread> thread_;
};

}  // namespace bp
