#include "stages/support/run_beside.hpp"

#include "engine/error.hpp"
#include "tests/support/coroutine.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <string>

namespace bp::stages {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> return_at_once() {
  co_return;
}

asio::awaitable<void> fail(std::string why) {
  throw Error{Errc::transform, std::move(why)};
  co_return;
}

asio::awaitable<void> wait_for_ever(bool& ended) {
  asio::steady_timer never{co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max()};
  struct AtEnd {
    bool& flag;
    ~AtEnd() { flag = true; }
  } const at_end{ended};
  co_await never.async_wait(asio::use_awaitable);
}

std::string failure_of(asio::awaitable<void> task) {
  try {
    test::run(std::move(task));
    return "none";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(RunBeside, EndsTheSideWithTheMainOne) {
  bool side_ended = false;
  EXPECT_EQ(failure_of(run_beside(return_at_once(), wait_for_ever(side_ended))), "none");
  EXPECT_TRUE(side_ended);
}

TEST(RunBeside, CancelsTheMainOneWhenTheSideFailsAndTellsWhy) {
  bool main_ended = false;
  EXPECT_EQ(failure_of(run_beside(wait_for_ever(main_ended), fail("the side broke"))),
            "the side broke");
  EXPECT_TRUE(main_ended);
}

TEST(RunBeside, TellsTheFailureThatCameFirst) {
  EXPECT_EQ(failure_of(run_beside(fail("main"), fail("side"))), "main");
}

TEST(RunBeside, LetsTheMainOneGoOnWhenTheSideIsDone) {
  EXPECT_EQ(failure_of(run_beside(fail("main, later"), return_at_once())), "main, later");
}

TEST(RunBeside, EndsBothWhenTheCallerIsCancelled) {
  asio::io_context io;
  asio::cancellation_signal cancel;
  bool main_ended = false;
  bool side_ended = false;
  bool caller_ended = false;
  asio::co_spawn(io, run_beside(wait_for_ever(main_ended), wait_for_ever(side_ended)),
                 asio::bind_cancellation_slot(cancel.slot(),
                                              [&](std::exception_ptr) { caller_ended = true; }));
  io.poll();
  EXPECT_FALSE(caller_ended);

  cancel.emit(asio::cancellation_type::terminal);
  io.run();
  EXPECT_TRUE(main_ended);
  EXPECT_TRUE(side_ended);
  EXPECT_TRUE(caller_ended);
}

}  // namespace
}  // namespace bp::stages
