#include "engine/chunk.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace bp {
namespace {

constexpr std::size_t chunk_bytes = 16;

Chunk chunk_of(BufferPool& pool, std::string_view text) {
  Buffer buffer = pool.acquire();
  buffer.append(std::as_bytes(std::span{text}));
  return std::move(buffer).freeze();
}

std::string text_of(const Chunk& chunk) {
  const auto bytes = chunk.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Buffer, KeepsWhatIsAppendedUpToItsSize) {
  BufferPool pool{chunk_bytes, 1};
  Buffer buffer = pool.acquire();

  const std::string_view text = "0123456789abcdefTOO MUCH";
  const std::size_t taken = buffer.append(std::as_bytes(std::span{text}));

  EXPECT_EQ(taken, chunk_bytes);
  EXPECT_TRUE(buffer.full());
  EXPECT_EQ(text_of(std::move(buffer).freeze()), "0123456789abcdef");
}

TEST(Buffer, GivesItsBlockBackWhenItIsNotFrozen) {
  BufferPool pool{chunk_bytes, 1};
  { const Buffer buffer = pool.acquire(); }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(Chunk, LivesUntilItsLastCopyIsGone) {
  BufferPool pool{chunk_bytes, 1};
  std::optional<Chunk> first{chunk_of(pool, "shared")};
  std::optional<Chunk> second{*first};

  first.reset();
  EXPECT_EQ(pool.in_use(), 1U);
  EXPECT_EQ(text_of(*second), "shared");

  second.reset();
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(Chunk, KnowsWhetherItFillsItsBlock) {
  BufferPool pool{chunk_bytes, 2};
  EXPECT_FALSE(chunk_of(pool, "short").fills_its_block());
  EXPECT_TRUE(chunk_of(pool, "0123456789abcdef").fills_its_block());
}

TEST(BufferPool, ReusesBlocksInsteadOfAllocatingNewOnes) {
  BufferPool pool{chunk_bytes, 1};
  const std::byte* first = pool.acquire().free_space().data();
  EXPECT_EQ(pool.acquire().free_space().data(), first);
}

TEST(BufferPool, CountsWhatGoesBeyondThePlanAndGivesItAllTheSame) {
  BufferPool pool{chunk_bytes, 1};
  const Buffer planned = pool.acquire();
  const Buffer unplanned = pool.acquire();
  EXPECT_EQ(pool.overruns(), 1U);
  EXPECT_EQ(pool.peak(), 2U);
}

TEST(BufferPool, TakesChunksBackFromAnyThread) {
  BufferPool pool{chunk_bytes, 64};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&pool] {
      for (int round = 0; round < 1000; ++round) {
        Chunk chunk = chunk_of(pool, "x");
        const Chunk copy = chunk;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_EQ(pool.overruns(), 0U);
}

}  // namespace
}  // namespace bp
