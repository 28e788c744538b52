#include "config/timezone.hpp"

#include "engine/error.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

namespace bp::config {
namespace {

constexpr std::chrono::system_clock::time_point summer_2026{
    std::chrono::sys_days{std::chrono::year{2026} / std::chrono::July / std::chrono::day{1}}};

TEST(ZoneOffset, RefusesNamesThatAreNoZones) {
  for (const char* zone :
       {"", "/etc/passwd", "../../etc/passwd", "Mars/Olympus", "Europe", "a b"}) {
    EXPECT_THROW((void)zone_offset(zone, summer_2026), Error) << zone;
  }
}

/// What libc says, which knows one zone per process only.
std::chrono::seconds offset_by_libc(const std::string& zone, std::time_t moment) {
  ::setenv("TZ", zone.c_str(), 1);
  ::tzset();
  std::tm fields{};
  ::localtime_r(&moment, &fields);
  ::unsetenv("TZ");
  ::tzset();
  return std::chrono::seconds{fields.tm_gmtoff};
}

TEST(ZoneOffset, IsThatOfLibcInEveryZoneOfThisMachine) {
  std::ifstream table{"/usr/share/zoneinfo/tzdata.zi"};
  int zones = 0;
  for (std::string line; std::getline(table, line);) {
    if (!line.starts_with("Z ")) continue;
    const std::string zone = line.substr(2, line.find(' ', 2) - 2);
    ++zones;
    // Odd steps of some 743 days from 1999 to 2060 fall on all seasons and times of day.
    for (std::time_t moment = 915'148'800; moment < 2'840'140'800; moment += 64'234'577) {
      ASSERT_EQ(zone_offset(zone, std::chrono::system_clock::from_time_t(moment)),
                offset_by_libc(zone, moment))
          << zone << " at " << moment;
    }
  }
  if (zones == 0) GTEST_SKIP() << "this machine has no list of zones";
  EXPECT_GT(zones, 300);
}

TEST(PosixOffset, ReadsTheFormsOfTheZoneDatabase) {
  using std::chrono::seconds;
  EXPECT_EQ(posix_offset("UTC0", summer_2026), seconds{0});
  EXPECT_EQ(posix_offset("<+0330>-3:30", summer_2026), seconds{12'600});
  EXPECT_EQ(posix_offset("CET-1CEST,M3.5.0,M10.5.0/3", summer_2026), seconds{7200});
  EXPECT_EQ(posix_offset("EST5EDT,M3.2.0,M11.1.0", summer_2026), seconds{-14'400});
  EXPECT_EQ(posix_offset("IST-1GMT0,M10.5.0,M3.5.0/1", summer_2026), seconds{3600});
}

TEST(PosixOffset, RefusesWhatItDoesNotUnderstand) {
  for (const char* rule :
       {"", "CET", "CET-1CEST", "CET-1CEST,J60,J300", "CET-1CEST,M3.5.0,M10.5.0/3,x"}) {
    EXPECT_THROW((void)posix_offset(rule, summer_2026), Error) << rule;
  }
}

}  // namespace
}  // namespace bp::config
