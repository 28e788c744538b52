#include "stages/support/utc_time.hpp"

#include <gtest/gtest.h>

namespace bp::test {
namespace {

using std::chrono::system_clock;

TEST(UtcTime, IsIso8601ToTheSecond) {
  const auto moment = system_clock::from_time_t(1'795'398'600) + std::chrono::milliseconds{999};

  EXPECT_EQ(stages::utc_text(moment), "2026-11-23T01:50:00Z");
  EXPECT_EQ(stages::utc_text(system_clock::from_time_t(0)), "1970-01-01T00:00:00Z");
}

TEST(UtcTime, ReadsWhatItWrote) {
  EXPECT_EQ(stages::parse_utc("2026-11-23T01:50:00Z"), system_clock::from_time_t(1'795'398'600));
  EXPECT_EQ(stages::parse_utc("2024-02-29T23:59:59Z"), system_clock::from_time_t(1'709'251'199));
}

TEST(UtcTime, RefusesWhatItWouldNotWrite) {
  for (const char* text : {"", "2026-11-23", "2026-11-23T01:50:00", "2026-11-23T01:50:00+01:00",
                           "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T01:50:00Zz",
                           "2026- 1-23T01:50:00Z"}) {
    EXPECT_FALSE(stages::parse_utc(text)) << text;
  }
}

}  // namespace
}  // namespace bp::test
