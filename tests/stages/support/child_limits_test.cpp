#include "stages/support/child_limits.hpp"

#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using namespace std::chrono_literals;

class ChildLimitsTest : public testing::Test {
 protected:
  static constexpr ChildLimits::Moment start{std::chrono::hours{1000}};

  ChildLimits limits{"pg_dump", 5min, std::nullopt, start};
};

TEST_F(ChildLimitsTest, TimeInWhichWeDoNotWaitIsNotIdle) {
  EXPECT_FALSE(limits.overdue(start + 24h));
  EXPECT_EQ(limits.next_check(start + 24h), start + 24h + 5min);
}

TEST_F(ChildLimitsTest, ALongWaitForOutputIsATimeout) {
  limits.reading = start + 10s;

  EXPECT_EQ(limits.next_check(start + 20s), start + 10s + 5min);
  EXPECT_FALSE(limits.overdue(start + 10s + 5min - 1ns));
  const auto late = limits.overdue(start + 10s + 5min);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->code(), Errc::timeout);
  EXPECT_STREQ(late->what(), "no output for 5m from 'pg_dump'");
}

TEST_F(ChildLimitsTest, AFedChildOwesNothingWhileWeHaveNothingForIt) {
  limits.fed = true;
  limits.reading = start;
  EXPECT_FALSE(limits.overdue(start + 24h));

  limits.feeding = start + 24h;
  EXPECT_FALSE(limits.overdue(start + 24h + 4min));
  EXPECT_TRUE(limits.overdue(start + 24h + 5min));
}

TEST_F(ChildLimitsTest, AFedChildThatWaitsForItsReaderIsNotIdle) {
  limits.fed = true;
  limits.feeding = start;

  EXPECT_FALSE(limits.overdue(start + 24h));
}

TEST_F(ChildLimitsTest, AChildThatDoesNotExitIsATimeout) {
  limits.ending = start;

  EXPECT_FALSE(limits.overdue(start + 5min - 1s));
  EXPECT_STREQ(limits.overdue(start + 5min)->what(),
               "'pg_dump' ended its output and then did not exit for 5m");
}

TEST_F(ChildLimitsTest, TheTimeLimitCountsEverything) {
  ChildLimits total{"pg_dump", std::nullopt, 90min, start};

  EXPECT_EQ(total.next_check(start), start + 90min);
  EXPECT_FALSE(total.overdue(start + 89min));
  EXPECT_STREQ(total.overdue(start + 90min)->what(), "'pg_dump' did not end within 1h 30m");
  total.ended = start + 89min;
  EXPECT_FALSE(total.overdue(start + 91min));
}

TEST_F(ChildLimitsTest, ADeadChildsOutputThatStaysOpenIsAFailure) {
  limits.reading = start;
  limits.ended = start + 1min;

  EXPECT_FALSE(limits.overdue(start + 1min + 4s));
  EXPECT_EQ(limits.overdue(start + 1min + 5s)->code(), Errc::source);

  limits.reading = start + 1min + 4s;  // a byte came
  EXPECT_FALSE(limits.overdue(start + 1min + 8s));
}

TEST_F(ChildLimitsTest, WithoutLimitsThereIsNothingToCheck) {
  ChildLimits none{"pg_dump", std::nullopt, std::nullopt, start};
  none.reading = start;

  EXPECT_FALSE(none.next_check(start));
  EXPECT_FALSE(none.overdue(start + 1000h));
}

}  // namespace
}  // namespace bp::stages
