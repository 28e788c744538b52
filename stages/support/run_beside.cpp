#include "stages/support/run_beside.hpp"

#include "engine/channel.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace bp::stages {

namespace {

namespace asio = boost::asio;

struct Pair {
  explicit Pair(const asio::any_io_executor& io) : news{io} {}

  void cancel_both() {
    cancel_main.emit(asio::cancellation_type::terminal);
    cancel_side.emit(asio::cancellation_type::terminal);
  }

  Bell news;
  asio::cancellation_signal cancel_main, cancel_side;
  int running = 2;
  std::exception_ptr failure;
};

}  // namespace

asio::awaitable<void> run_beside(asio::awaitable<void> main, asio::awaitable<void> side) {
  const auto io = co_await asio::this_coro::executor;
  Pair pair{io};
  auto main_ended = [&pair](std::exception_ptr thrown) {
    --pair.running;
    if (thrown && !pair.failure) pair.failure = thrown;
    pair.cancel_side.emit(asio::cancellation_type::terminal);
    pair.news.ring();
  };
  auto side_ended = [&pair](std::exception_ptr thrown) {
    const bool main_still_runs = --pair.running > 0;
    // After main's end a side that was cancelled has nothing to tell.
    if (thrown && main_still_runs && !pair.failure) {
      pair.failure = thrown;
      pair.cancel_main.emit(asio::cancellation_type::terminal);
    }
    pair.news.ring();
  };
  asio::co_spawn(io, std::move(main),
                 asio::bind_cancellation_slot(pair.cancel_main.slot(), main_ended));
  asio::co_spawn(io, std::move(side),
                 asio::bind_cancellation_slot(pair.cancel_side.slot(), side_ended));

  // Both use what our caller owns: even when cancelled we wait for their ends, and pass the word
  // on.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  bool passed_on = false;
  while (pair.running > 0) {
    pair.news.arm();
    co_await pair.news.wait();
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none && !passed_on) {
      passed_on = true;
      pair.cancel_both();
    }
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (pair.failure) std::rethrow_exception(pair.failure);
}

}  // namespace bp::stages
