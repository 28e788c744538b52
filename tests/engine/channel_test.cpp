#include "engine/channel.hpp"

#include "tests/support/coroutine.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace bp {
namespace {

using test::run_on;

class ChannelTest : public ::testing::Test {
 protected:
  Chunk chunk_of(std::uint8_t value) {
    Buffer buffer = pool.acquire();
    buffer.free_space()[0] = std::byte{value};
    buffer.fill(1);
    return std::move(buffer).freeze();
  }
  static std::uint8_t value_of(const Chunk& chunk) {
    return std::to_integer<std::uint8_t>(chunk.bytes()[0]);
  }

  BufferPool pool{16, 256};
  asio::io_context io;
};

TEST_F(ChannelTest, DeliversEverythingBeforeTheEndOfTheStream) {
  Channel channel{io.get_executor(), 4};
  channel.push_blocking(chunk_of(1));
  channel.push_blocking(chunk_of(2));
  channel.finish();

  EXPECT_EQ(value_of(*channel.pop_blocking()), 1);
  EXPECT_EQ(value_of(*channel.pop_blocking()), 2);
  EXPECT_FALSE(channel.pop_blocking().has_value());
  EXPECT_TRUE(channel.drained());
}

TEST_F(ChannelTest, IsNotDrainedBeforeTheConsumerHeardOfTheEnd) {
  Channel channel{io.get_executor(), 4};
  channel.push_blocking(chunk_of(1));
  channel.finish();
  EXPECT_FALSE(channel.drained());
  (void)channel.pop_blocking();
  EXPECT_FALSE(channel.drained());
  (void)channel.pop_blocking();
  EXPECT_TRUE(channel.drained());
}

TEST_F(ChannelTest, DropsQueuedChunksWhenItFails) {
  Channel channel{io.get_executor(), 4};
  channel.push_blocking(chunk_of(1));

  channel.fail(Error{Errc::peer_failed, "dead"});

  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_THROW((void)channel.pop_blocking(), Error);
  EXPECT_THROW(channel.push_blocking(chunk_of(2)), Error);
  EXPECT_FALSE(channel.drained());
}

TEST_F(ChannelTest, KeepsTheFirstFailure) {
  Channel channel{io.get_executor(), 1};
  channel.fail(Error{Errc::peer_failed, "first"});
  channel.fail(Error{Errc::peer_failed, "second"});
  try {
    (void)channel.pop_blocking();
    FAIL() << "a failed edge delivered an end of stream";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
}

TEST_F(ChannelTest, StaysFailedWhenItIsFinishedAfterwards) {
  Channel channel{io.get_executor(), 1};
  channel.fail(Error{Errc::peer_failed, "dead"});
  channel.finish();
  EXPECT_THROW((void)channel.pop_blocking(), Error);
  EXPECT_FALSE(channel.drained());
}

asio::awaitable<void> push_one(Channel& channel, Chunk chunk, bool& pushed) {
  co_await channel.push(std::move(chunk));
  pushed = true;
}

TEST_F(ChannelTest, MakesACoroutineWaitWhileItIsFull) {
  Channel channel{io.get_executor(), 1};
  channel.push_blocking(chunk_of(1));
  bool pushed = false;
  asio::co_spawn(io, push_one(channel, chunk_of(2), pushed), asio::detached);

  io.poll();
  EXPECT_FALSE(pushed);

  (void)channel.pop_blocking();
  io.run();
  EXPECT_TRUE(pushed);
}

asio::awaitable<Channel::Offer> offer_one(Channel& channel, Chunk chunk,
                                          std::chrono::steady_clock::time_point deadline) {
  co_return co_await channel.offer(std::move(chunk), deadline);
}

TEST_F(ChannelTest, TellsATeeThatItStayedFullUntilTheDeadline) {
  Channel channel{io.get_executor(), 1};
  channel.push_blocking(chunk_of(1));
  const auto now = std::chrono::steady_clock::now();
  EXPECT_EQ(run_on(io, offer_one(channel, chunk_of(2), now)), Channel::Offer::late);
}

TEST_F(ChannelTest, TellsATeeThatItIsDeadWithoutThrowing) {
  Channel channel{io.get_executor(), 1};
  channel.fail(Error{Errc::peer_failed, "dead"});
  const auto never = std::chrono::steady_clock::time_point::max();
  EXPECT_EQ(run_on(io, offer_one(channel, chunk_of(2), never)), Channel::Offer::dead);
}

TEST_F(ChannelTest, CountsBytesAtBothEnds) {
  Channel channel{io.get_executor(), 2};
  channel.push_blocking(chunk_of(1));
  channel.push_blocking(chunk_of(2));
  (void)channel.pop_blocking();
  EXPECT_EQ(channel.counters().bytes_pushed, 2U);
  EXPECT_EQ(channel.counters().bytes_popped, 1U);
  EXPECT_EQ(channel.counters().fill, 1U);
}

asio::awaitable<void> forward(Channel& from, Channel& to, Error*& failure, Error& storage) {
  try {
    while (std::optional<Chunk> chunk = co_await from.pop()) co_await to.push(std::move(*chunk));
    to.finish();
  } catch (const Error& error) {
    storage = error;
    failure = &storage;
    to.fail(error);
  }
}

/// Thread → coroutine → thread, with slots, lengths and the place of a failure at random: nothing
/// may be lost, reordered or waited for in vain.
TEST_F(ChannelTest, LosesNothingBetweenThreadsAndCoroutines) {
  std::mt19937 random{20261123};
  for (int round = 0; round < 200; ++round) {
    asio::io_context loop;
    Channel first{loop.get_executor(), 1 + random() % 4};
    Channel second{loop.get_executor(), 1 + random() % 4};
    const std::size_t length = random() % 200;
    const bool fails = random() % 3 == 0;
    const std::size_t fails_at = random() % (length + 1);

    Error* failure = nullptr;
    Error storage{Errc::internal, ""};
    asio::co_spawn(loop, forward(first, second, failure, storage), asio::detached);
    std::thread producer{[&] {
      for (std::size_t i = 0; i < length; ++i) {
        if (fails && i == fails_at) break;
        first.push_blocking(chunk_of(static_cast<std::uint8_t>(i)));
      }
      asio::post(loop, [&] {
        fails ? first.fail(Error{Errc::source, "dead producer"}) : first.finish();
      });
    }};
    std::size_t received = 0;
    bool failed = false;
    std::thread consumer{[&] {
      try {
        while (const std::optional<Chunk> chunk = second.pop_blocking()) {
          ASSERT_EQ(value_of(*chunk), static_cast<std::uint8_t>(received++));
        }
      } catch (const Error&) {
        failed = true;
      }
    }};
    auto work = asio::make_work_guard(loop);
    std::thread ender{[&] {
      producer.join();
      consumer.join();
      work.reset();
    }};
    loop.run();
    ender.join();

    EXPECT_EQ(failed, fails);
    if (!fails) {
      EXPECT_EQ(received, length);
    }
    EXPECT_EQ(failure != nullptr, fails);
    EXPECT_EQ(pool.in_use(), 0U);
  }
}

}  // namespace
}  // namespace bp
