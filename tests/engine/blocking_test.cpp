#include "engine/blocking.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/job_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pthread.h>

#include <array>
#include <stdexcept>

namespace bp {
namespace {

using test::chunk;
using test::Gate;
using test::JobFixture;
using test::pattern;
using test::Witness;
using ::testing::Each;
using ::testing::SizeIs;

/// A coroutine that lends work to a thread, and then has to wait for something else.
class Caller {
 public:
  asio::awaitable<void> run(std::function<void()> work) {
    [[maybe_unused]] const auto cpu = co_await on_own_thread("worker", std::move(work));
    returned = true;
    asio::steady_timer moment{co_await asio::this_coro::executor, std::chrono::seconds{0}};
    co_await moment.async_wait(asio::use_awaitable);
    went_on = true;
  }
  /// The same, for one who wants no throwing.
  asio::awaitable<void> run_without_throwing(std::function<void()> work) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await run(std::move(work));
  }
  void spawn(asio::io_context& io, asio::awaitable<void> task) {
    asio::co_spawn(io, std::move(task),
                   asio::bind_cancellation_slot(
                       signal.slot(), [this](std::exception_ptr thrown) { failure = thrown; }));
  }
  [[nodiscard]] bool was_cancelled() const {
    return failure && to_error(failure).code() == Errc::cancelled;
  }

  asio::cancellation_signal signal;
  std::exception_ptr failure;
  bool returned = false, went_on = false;
};

TEST(OnOwnThread, PassesWhatTheWorkThrows) {
  std::function<void()> work = [] { throw Error{Errc::transform, "bad data"}; };
  try {
    (void)test::run(on_own_thread("worker", std::move(work)));
    FAIL() << "the exception was lost";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "bad data");
  }
}

TEST(OnOwnThread, RunsTheWorkElsewhereUnderItsName) {
  std::array<char, 32> name{};
  std::thread::id worker;
  std::function<void()> work = [&] {
    worker = std::this_thread::get_id();
    pthread_getname_np(pthread_self(), name.data(), name.size());
  };
  (void)test::run(on_own_thread("a name too long for a thread", std::move(work)));
  EXPECT_NE(worker, std::this_thread::get_id());
  EXPECT_STREQ(name.data(), "a name too long");
}

TEST(OnOwnThread, CountsTheCpuTimeOfTheWork) {
  const std::chrono::milliseconds burnt{5};
  std::function<void()> work = [burnt] {
    const auto begin = cpu_time_of_this_thread();
    while (cpu_time_of_this_thread() - begin < burnt) continue;
  };
  EXPECT_GE(test::run(on_own_thread("worker", std::move(work))), burnt);
}

TEST(OnOwnThread, DoesNotAbandonTheWorkWhenTheCallerIsCancelled) {
  asio::io_context io;
  Gate gate;
  Caller caller;
  bool finished = false;
  caller.spawn(io, caller.run([&] {
    gate.wait_blocking({});
    finished = true;
  }));
  io.poll();

  caller.signal.emit(asio::cancellation_type::terminal);
  io.poll();
  EXPECT_FALSE(caller.returned);
  EXPECT_FALSE(caller.failure);

  gate.open();
  io.run();
  EXPECT_TRUE(finished);
  EXPECT_TRUE(caller.returned);
}

TEST(OnOwnThread, LeavesTheCancellationToTheCallersNextWait) {
  asio::io_context io;
  Gate gate;
  Caller caller;
  caller.spawn(io, caller.run([&] { gate.wait_blocking({}); }));
  io.poll();

  caller.signal.emit(asio::cancellation_type::terminal);
  gate.open();
  io.run();

  EXPECT_TRUE(caller.was_cancelled());
  EXPECT_FALSE(caller.went_on);
}

TEST(OnOwnThread, LeavesThrowingOffForACallerWhoHadItOff) {
  asio::io_context io;
  Gate gate;
  Caller caller;
  caller.spawn(io, caller.run_without_throwing([&] { gate.wait_blocking({}); }));
  io.poll();

  caller.signal.emit(asio::cancellation_type::terminal);
  gate.open();
  io.run();

  EXPECT_FALSE(caller.failure);
  EXPECT_TRUE(caller.went_on);
}

TEST(OnOwnThread, LeavesTheCancellationBehindWorkThatFails) {
  asio::io_context io;
  Gate gate;
  Caller caller;
  caller.spawn(io, caller.run([&] {
    gate.wait_blocking({});
    throw Error{Errc::transform, "bad data"};
  }));
  io.poll();

  caller.signal.emit(asio::cancellation_type::terminal);
  gate.open();
  io.run();

  EXPECT_STREQ(to_error(caller.failure).what(), "bad data");
}

asio::awaitable<void> two_pieces(std::vector<std::thread::id>& threads) {
  WorkerThread worker{"worker"};
  std::function<void()> note = [&threads] { threads.push_back(std::this_thread::get_id()); };
  std::function<void()> fail = [&threads] {
    threads.push_back(std::this_thread::get_id());
    throw std::runtime_error{"and goes on"};
  };
  [[maybe_unused]] const auto first = co_await worker.run(note);
  bool failed = false;
  try {
    [[maybe_unused]] const auto second = co_await worker.run(fail);
  } catch (const std::runtime_error&) {
    failed = true;
  }
  EXPECT_TRUE(failed);
  [[maybe_unused]] const auto third = co_await worker.run(note);
}

TEST(WorkerThread, RunsOnePieceAfterAnotherOnOneThreadAlsoAfterAFailure) {
  std::vector<std::thread::id> threads;
  test::run(two_pieces(threads));
  EXPECT_THAT(threads, SizeIs(3));
  EXPECT_THAT(threads, Each(threads.front()));
  EXPECT_NE(threads.front(), std::this_thread::get_id());
}

TEST(BlockingSink, GetsPrepareAndCommitOnOneThread) {
  JobFixture job;
  job.source("numbers", pattern(3 * chunk));
  const Witness& sink = job.sink("sink", test::blocking({}));
  (void)job.run();
  EXPECT_THAT(sink.threads, SizeIs(2));
  EXPECT_THAT(sink.threads, Each(sink.threads.front()));
}

TEST(BlockingSink, GetsPrepareAndAbortOnOneThread) {
  JobFixture job;
  job.source("numbers", pattern(3 * chunk));
  const Witness& sink = job.sink("sink", test::blocking(test::fails_after(chunk)));
  (void)job.run();
  EXPECT_EQ(sink.aborts, 1);
  EXPECT_THAT(sink.threads, SizeIs(2));
  EXPECT_THAT(sink.threads, Each(sink.threads.front()));
}

}  // namespace
}  // namespace bp
