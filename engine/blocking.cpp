#include "engine/blocking.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <pthread.h>
#include <time.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace bp {

std::chrono::nanoseconds cpu_time_of_this_thread() noexcept {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

namespace {

/// One piece of work and the coroutine that waits for it.
struct Task {
  Task(std::function<void()> job, const asio::any_io_executor& io)
      : work{std::move(job)}, done{io} {}

  void run() noexcept {
    const auto before = cpu_time_of_this_thread();
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    work = nullptr;  // what it captured belongs to the work, not to the wait
    cpu = cpu_time_of_this_thread() - before;
    const std::lock_guard lock{mutex};
    finished = true;
    done.ring();
  }

  std::function<void()> work;
  std::mutex mutex;
  bool finished = false;
  std::exception_ptr failure;
  std::chrono::nanoseconds cpu{};
  Bell done;
};

bool finished_or_armed(Task& task) {
  const std::lock_guard lock{task.mutex};
  if (!task.finished) task.done.arm();
  return task.finished;
}

}  // namespace

struct WorkerThread::State {
  std::mutex mutex;
  std::condition_variable news;
  std::shared_ptr<Task> next;
  bool ending = false;
  std::thread thread;

  void serve(const std::string& name) {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    for (;;) {
      std::shared_ptr<Task> task;
      {
        std::unique_lock lock{mutex};
        news.wait(lock, [this] { return ending || next; });
        if (!next) return;
        task = std::exchange(next, nullptr);
      }
      task->run();
    }
  }
};

WorkerThread::WorkerThread(std::string thread_name) : state_{std::make_unique<State>()} {
  state_->thread =
      std::thread{[state = state_.get(), name = std::move(thread_name)] { state->serve(name); }};
}

WorkerThread::~WorkerThread() {
  {
    const std::lock_guard lock{state_->mutex};
    state_->ending = true;
  }
  state_->news.notify_one();
  state_->thread.join();
}

asio::awaitable<std::chrono::nanoseconds> WorkerThread::run(std::function<void()> work) {
  const auto io = co_await asio::this_coro::executor;
  // Shared with the thread: the coroutine may resume and leave while Task::run() still unlocks the
  // mutex.
  const auto task = std::make_shared<Task>(std::move(work), io);

  // A cancelled coroutine throws at its next co_await and would leave a thread behind that still
  // uses its frame. So throwing is switched off before the thread gets its work, and only until it
  // is done: the setting belongs to the caller's whole chain of coroutines.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  {
    const std::lock_guard lock{state_->mutex};
    state_->next = task;
  }
  state_->news.notify_one();
  while (!finished_or_armed(*task)) co_await task->done.wait();
  co_await asio::this_coro::throw_if_cancelled(throws);

  if (task->failure) std::rethrow_exception(task->failure);
  co_return task->cpu;
}

asio::awaitable<std::chrono::nanoseconds> on_own_thread(std::string thread_name,
                                                        std::function<void()> work) {
  WorkerThread thread{std::move(thread_name)};
  co_return co_await thread.run(std::move(work));
}

asio::awaitable<void> BlockingFilter::transform(Inlet& in, Outlet& out, StageContext& ctx) {
  std::function<void()> work = [this, &in, &out, &ctx] {
    BlockingInlet inlet{in};
    BlockingOutlet outlet{out};
    transform_blocking(inlet, outlet, ctx);
  };
  const auto cpu = co_await on_own_thread(std::string{ctx.name()}, std::move(work));
  ctx.add_cpu(cpu);
}

asio::awaitable<void> BlockingSource::produce(Outlet& out, StageContext& ctx) {
  std::function<void()> work = [this, &out, &ctx] {
    BlockingOutlet outlet{out};
    produce_blocking(outlet, ctx);
  };
  const auto cpu = co_await on_own_thread(std::string{ctx.name()}, std::move(work));
  ctx.add_cpu(cpu);
}

WorkerThread& BlockingSink::thread(const StageContext& ctx) {
  if (!thread_) thread_ = std::make_unique<WorkerThread>(std::string{ctx.name()});
  return *thread_;
}

asio::awaitable<void> BlockingSink::prepare(Inlet& in, StageContext& ctx) {
  std::function<void()> work = [this, &in, &ctx] {
    BlockingInlet inlet{in};
    prepare_blocking(inlet, ctx);
  };
  const auto cpu = co_await thread(ctx).run(std::move(work));
  ctx.add_cpu(cpu);
}

asio::awaitable<Receipt> BlockingSink::commit(StageContext& ctx) {
  Receipt receipt;
  std::function<void()> work = [this, &receipt, &ctx] { receipt = commit_blocking(ctx); };
  co_await thread(ctx).run(std::move(work));
  co_return receipt;
}

asio::awaitable<void> BlockingSink::abort(StageContext& ctx) {
  std::function<void()> work = [this, &ctx] { abort_blocking(ctx); };
  co_await thread(ctx).run(std::move(work));
}

}  // namespace bp
