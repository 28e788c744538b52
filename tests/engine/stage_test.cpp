#include "engine/stage.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/memory_stages.hpp"

#include <gtest/gtest.h>

namespace bp {
namespace {

using test::pattern;
using test::run_on;

constexpr std::size_t block = 16;

class OutletTest : public ::testing::Test {
 protected:
  Chunk chunk_of(std::size_t size) {
    Buffer buffer = pool.acquire();
    buffer.append(pattern(size));
    return std::move(buffer).freeze();
  }
  /// The sizes of the chunks on the edge, in their order.
  std::vector<std::size_t> queued() {
    channel.finish();
    std::vector<std::size_t> sizes;
    while (const std::optional<Chunk> chunk = channel.pop_blocking()) {
      sizes.push_back(chunk->bytes().size());
    }
    return sizes;
  }

  asio::io_context io;
  BufferPool pool{block, 64};
  Channel channel{io.get_executor(), 32};
  Outlet outlet{channel, pool};
};

TEST_F(OutletTest, MakesFullChunksOfOddWrites) {
  for (const std::size_t size : {1U, 5U, 0U, 40U, 3U}) run_on(io, outlet.write(pattern(size)));
  run_on(io, outlet.flush());
  EXPECT_EQ(queued(), (std::vector<std::size_t>{16, 16, 16, 1}));
}

TEST_F(OutletTest, FlushesNothingAfterAFullChunk) {
  run_on(io, outlet.write(pattern(2 * block)));
  run_on(io, outlet.flush());
  EXPECT_EQ(queued(), (std::vector<std::size_t>{16, 16}));
}

TEST_F(OutletTest, AllowsAShortChunkAtTheEnd) {
  run_on(io, outlet.push(chunk_of(block)));
  run_on(io, outlet.push(chunk_of(3)));
  EXPECT_EQ(queued(), (std::vector<std::size_t>{16, 3}));
}

TEST_F(OutletTest, RefusesAChunkAfterAShortOne) {
  run_on(io, outlet.push(chunk_of(3)));
  EXPECT_THROW(run_on(io, outlet.push(chunk_of(block))), Error);
}

TEST_F(OutletTest, RefusesAWriteThatFollowsAShortChunk) {
  run_on(io, outlet.push(chunk_of(3)));
  EXPECT_THROW(run_on(io, outlet.write(pattern(block))), Error);
}

TEST_F(OutletTest, GivesItsRestBackWhenItIsNeverFlushed) {
  {
    Outlet forgotten{channel, pool};
    run_on(io, forgotten.write(pattern(3)));
    EXPECT_EQ(pool.in_use(), 1U);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(OutletTest, HoldsThreadsToTheSameRule) {
  BlockingOutlet blocking{outlet};
  blocking.push(chunk_of(3));
  EXPECT_THROW(blocking.push(chunk_of(block)), Error);
}

TEST_F(OutletTest, MakesFullChunksOfAThreadsOddWrites) {
  BlockingOutlet blocking{outlet};
  for (const std::size_t size : {7U, 30U}) blocking.write(pattern(size));
  run_on(io, outlet.flush());
  EXPECT_EQ(queued(), (std::vector<std::size_t>{16, 16, 5}));
}

}  // namespace
}  // namespace bp
