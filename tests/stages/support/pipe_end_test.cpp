#include "stages/support/pipe_end.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/memory_stages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <span>

namespace bp::test {
namespace {

using namespace std::chrono_literals;
using stages::PipeEnd;
using stages::UniqueFd;

class PipeEndTest : public testing::Test {
 protected:
  PipeEndTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reading = UniqueFd{ends[0]};
    writing = UniqueFd{ends[1]};
  }

  PipeEnd::Moved read(PipeEnd& end, std::span<std::byte> space) {
    return run_on(io, end.read_some(space));
  }
  /// A read that finds nothing, and is cancelled after `delay`.
  PipeEnd::Moved cancelled_read(std::chrono::milliseconds delay) {
    PipeEnd end{io.get_executor()};
    end.assign(std::move(reading));
    asio::steady_timer timer{io, delay};
    timer.async_wait([&end](const auto&) { end.cancel(); });
    return read(end, block);
  }

  asio::io_context io;
  UniqueFd reading, writing;
  std::array<std::byte, 4096> block{};
};

asio::awaitable<void> write_all(PipeEnd& end, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const PipeEnd::Moved moved = co_await end.write_some(bytes);
    if (moved.problem) break;
    bytes = bytes.subspan(moved.bytes);
  }
  end.close();
}

asio::awaitable<Bytes> read_to_end(PipeEnd& end) {
  Bytes all;
  Bytes block(50'000);
  for (;;) {
    const PipeEnd::Moved moved = co_await end.read_some(block);
    if (moved.problem) {
      EXPECT_EQ(moved.problem, asio::error::eof);
      co_return all;
    }
    all.insert(all.end(), block.begin(), block.begin() + static_cast<long>(moved.bytes));
  }
}

TEST_F(PipeEndTest, CarriesMegabytesUnchangedInBothDirections) {
  const Bytes sent = pattern(7'000'001);
  PipeEnd from{io.get_executor()};
  PipeEnd to{io.get_executor()};
  from.assign(std::move(writing));
  to.assign(std::move(reading));
  auto ignore = [](std::exception_ptr) {};
  asio::co_spawn(io, write_all(from, sent), ignore);

  EXPECT_EQ(run_on(io, read_to_end(to)), sent);
}

TEST_F(PipeEndTest, WaitsForAWriterThatIsSlowerThanAllPauses) {
  PipeEnd end{io.get_executor()};
  end.assign(std::move(reading));
  asio::steady_timer timer{io, 60ms};
  timer.async_wait([this](const auto&) { EXPECT_EQ(::write(writing.get(), "x", 1), 1); });

  const PipeEnd::Moved moved = read(end, block);

  EXPECT_FALSE(moved.problem) << moved.problem.message();
  EXPECT_EQ(moved.bytes, 1U);
}

TEST_F(PipeEndTest, CanBeCancelledInAPause) {
  EXPECT_EQ(cancelled_read(0ms).problem, asio::error::operation_aborted);
}

TEST_F(PipeEndTest, CanBeCancelledWhileItWatches) {
  EXPECT_EQ(cancelled_read(60ms).problem, asio::error::operation_aborted);
}

TEST_F(PipeEndTest, TellsABrokenPipe) {
  PipeEnd end{io.get_executor()};
  end.assign(std::move(writing));
  reading.reset();

  EXPECT_EQ(run_on(io, end.write_some(block)).problem, asio::error::broken_pipe);
}

TEST_F(PipeEndTest, RefusesToMoveAnythingOnceClosed) {
  PipeEnd end{io.get_executor()};
  end.assign(std::move(reading));
  end.close();

  EXPECT_EQ(read(end, block).problem, asio::error::operation_aborted);
  EXPECT_FALSE(end.is_open());
}

TEST_F(PipeEndTest, ReleasesADescriptorThatIsStillOpen) {
  PipeEnd end{io.get_executor()};
  end.assign(std::move(writing));

  const UniqueFd released = end.release();

  EXPECT_FALSE(end.is_open());
  EXPECT_EQ(::write(released.get(), "x", 1), 1);
}

}  // namespace
}  // namespace bp::test
