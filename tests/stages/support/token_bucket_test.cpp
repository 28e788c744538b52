#include "stages/support/token_bucket.hpp"

#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using namespace std::chrono_literals;

const TokenBucket::Time start{100s};

TEST(TokenBucket, LetsABurstPassAtOnceAndNoMore) {
  TokenBucket bucket{1000, 500};
  EXPECT_EQ(bucket.take(500, start), 0s);
  EXPECT_EQ(bucket.take(100, start), 100ms);
}

TEST(TokenBucket, HoldsItsRateOverAnHourOfSmallPieces) {
  TokenBucket bucket{1'000'003, 0};
  TokenBucket::Time now = start;
  std::size_t bytes = 0;
  while (now < start + 1h) {
    now += bucket.take(262'144, now);
    bytes += 262'144;
  }
  EXPECT_LE(bytes, 3600U * 1'000'003 + 262'144);
  EXPECT_GE(bytes, 3600U * 1'000'003 - 262'144);
}

TEST(TokenBucket, SavesUpNoMoreThanTheBurstInALongRest) {
  TokenBucket bucket{1000, 500};
  EXPECT_EQ(bucket.take(1500, start), 1s);
  EXPECT_EQ(bucket.take(500, start + 1h), 0s);
  EXPECT_EQ(bucket.take(1, start + 1h), 1ms);
}

TEST(TokenBucket, LetsAPieceBiggerThanTheBurstPassAfterItsTime) {
  TokenBucket bucket{1000, 0};
  EXPECT_EQ(bucket.take(60'000, start), 60s);
  EXPECT_EQ(bucket.take(1000, start + 60s), 1s);
}

TEST(TokenBucket, GivesTwoWhoShareItTheRateTogether) {
  TokenBucket bucket{1000, 0};
  EXPECT_EQ(bucket.take(1000, start), 1s);       // one
  EXPECT_EQ(bucket.take(1000, start), 2s);       // the other, behind it
  EXPECT_EQ(bucket.take(1000, start + 1s), 2s);  // the first again, behind both
}

TEST(TokenBucket, NeverOverflowsHoweverSmallTheRate) {
  TokenBucket bucket{1, std::size_t{1} << 62};
  EXPECT_EQ(bucket.take(std::size_t{16} << 20, start), 0s);
  EXPECT_GT(TokenBucket(1, 0).take(std::size_t{16} << 20, start), 24h);
}

}  // namespace
}  // namespace bp::stages
