#include "config/units.hpp"

#include <gtest/gtest.h>

namespace bp::config {
namespace {

using std::chrono::seconds;

TEST(ParseSize, TakesPowersOf1024WithAnIAndOf1000Without) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("64MiB"), 64U << 20);
  EXPECT_EQ(parse_size("64 mib"), 64U << 20);
  EXPECT_EQ(parse_size("1.5GB"), 1'500'000'000U);
  EXPECT_EQ(parse_size("512k"), 512'000U);
  EXPECT_EQ(parse_size("8TiB"), std::uint64_t{8} << 40);
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", "MiB", "-1", "1 x", "64 MiB x", "1e400", "9999999TiB", "nan", "0x10"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(ParseDuration, AddsUpUnitsAndTakesBareSeconds) {
  EXPECT_EQ(parse_duration("90"), seconds{90});
  EXPECT_EQ(parse_duration("90s"), seconds{90});
  EXPECT_EQ(parse_duration("5m"), seconds{300});
  EXPECT_EQ(parse_duration("2h30m"), seconds{9000});
  EXPECT_EQ(parse_duration("1d 2h"), seconds{93'600});
  EXPECT_EQ(parse_duration("1w"), seconds{604'800});
}

TEST(ParseDuration, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "m", "-5m", "5 m", "250ms", "1h30", "0m5", "99999999999h", "5x"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(FormatBytes, UsesTheUnitThatReadsBest) {
  EXPECT_EQ(format_bytes(0), "0 bytes");
  EXPECT_EQ(format_bytes(1), "1 byte");
  EXPECT_EQ(format_bytes(1023), "1023 bytes");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes((std::uint64_t{1} << 20) - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(std::uint64_t{5} << 40), "5.0 TiB");
}

TEST(FormatDuration, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(format_duration(seconds{0}), "0s");
  EXPECT_EQ(format_duration(seconds{45}), "45s");
  EXPECT_EQ(format_duration(seconds{9000}), "2h 30m");
  EXPECT_EQ(format_duration(seconds{86'400 + 61}), "1d");
}

}  // namespace
}  // namespace bp::config
