// stages/support/run_beside.hpp — two coroutines that belong together: one feeds, one reads.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace bp::stages {

/// Runs `side` beside `main` and returns when both have ended, so that what they refer to may go.
/// The end of `main`, however it comes, cancels `side`; a failure of `side` cancels `main`. Throws
/// the failure that came first. Cancelling the caller cancels both. I/O thread.
[[nodiscard]] boost::asio::awaitable<void> run_beside(boost::asio::awaitable<void> main,
                                                      boost::asio::awaitable<void> side);

}  // namespace bp::stages
