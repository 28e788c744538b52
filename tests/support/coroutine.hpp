// tests/support/coroutine.hpp — runs a coroutine to its end on an io_context of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace bp::test {

namespace asio = boost::asio;

/// Runs `task` and everything it posts until nothing is left; rethrows what it threw.
template <class T>
T run_on(asio::io_context& io, asio::awaitable<T> task) {
  std::exception_ptr failure;
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown) { failure = thrown; });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
  } else {
    std::optional<T> result;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, T value) {
      failure = thrown;
      result.emplace(std::move(value));
    });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
}

/// Runs `task` to its end, and leaves for later what is then still under way on `io` (a child that
/// lives on).
template <class T>
T run_until_done(asio::io_context& io, asio::awaitable<T> task) {
  std::optional<std::exception_ptr> ended;
  std::optional<T> result;
  asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, T value) {
    ended = thrown;
    result.emplace(std::move(value));
  });
  io.restart();
  while (!ended && io.run_one() > 0) continue;
  if (*ended) std::rethrow_exception(*ended);
  return std::move(*result);
}
inline void run_until_done(asio::io_context& io, asio::awaitable<void> task) {
  std::optional<std::exception_ptr> ended;
  asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown) { ended = thrown; });
  io.restart();
  while (!ended && io.run_one() > 0) continue;
  if (*ended) std::rethrow_exception(*ended);
}

template <class T>
T run(asio::awaitable<T> task) {
  asio::io_context io;
  return run_on(io, std::move(task));
}

}  // namespace bp::test
