#include "config/placeholders.hpp"

#include <gtest/gtest.h>

namespace bp::config {
namespace {

const NameParts parts{.hostname = "web1",
                      .job = "nightly",
                      .run = "R1",
                      .id = "etc",
                      .ext = "tar.gz",
                      .date = "2026-11-23",
                      .time = "020000"};

TEST(ExpandTemplate, FillsEveryPlaceholderAndDropsTheLeadingSlash) {
  EXPECT_EQ(expand_template("/{hostname}/{date}/{id}.{ext}", parts), "web1/2026-11-23/etc.tar.gz");
  EXPECT_EQ(expand_template("{job}/{run}/{time}-{id}.{ext}", parts),
            "nightly/R1/020000-etc.tar.gz");
}

TEST(ExpandTemplate, LeavesNoDotBehindForAStreamWithoutExtension) {
  NameParts bare = parts;
  bare.ext = "";
  EXPECT_EQ(expand_template("{id}.{ext}", bare), "etc");
}

TEST(CheckTemplate, NamesWhatIsWrong) {
  const auto message = [](std::string_view text) {
    const auto problem = check_template(text);
    return problem ? problem->message : "ok";
  };
  EXPECT_EQ(message("/{hostname}/{date}/{id}.{ext}"), "ok");
  EXPECT_EQ(message("{host}/{id}.{ext}"), "has an unknown placeholder '{host}'");
  EXPECT_EQ(message("{date}.{ext}"), "has no {id}");
  EXPECT_EQ(message("{id}"), "has no {ext}");
  EXPECT_EQ(message("../{id}.{ext}"), "leaves its folder");
  EXPECT_EQ(message("a//{id}.{ext}"), "has an empty folder name");
  EXPECT_EQ(message("{id}.{ext"), "unbalanced braces");
  EXPECT_EQ(message("a}{id}.{ext}"), "unbalanced braces");
  EXPECT_EQ(message("a:b/{id}.{ext}"), "has a character that some destination cannot store");
}

TEST(WithSuffix, PutsTheTimeBeforeTheExtension) {
  EXPECT_EQ(with_suffix("h/etc.tar.gz", "tar.gz", "020000"), "h/etc-020000.tar.gz");
  EXPECT_EQ(with_suffix("h.d/etc", "", "020000"), "h.d/etc-020000");
}

TEST(EncodeName, MakesAnyNameSafeAndKeepsSafeOnes) {
  EXPECT_EQ(encode_name("sales-2026_q1.eu"), "sales-2026_q1.eu");
  EXPECT_EQ(encode_name("../x y"), "%2E.%2Fx%20y");
  EXPECT_EQ(encode_name("-rf"), "%2Drf");
  EXPECT_EQ(encode_name("100%"), "100%25");
}

TEST(IsSafeId, RefusesWhatCouldBeAnOptionOrAPath) {
  EXPECT_TRUE(is_safe_id("accounts.data-1"));
  for (const char* id : {"", ".", "..", "-x", "a/b", "a b", "a\nb", "ä"}) {
    EXPECT_FALSE(is_safe_id(id)) << id;
  }
}

std::chrono::system_clock::time_point utc(int year, unsigned month, unsigned day, int hour,
                                          int minute) {
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}} +
         hours{hour} + minutes{minute};
}

struct ZoneCase {
  const char* zone;
  std::chrono::system_clock::time_point moment;
  const char* date;
  const char* time;
};

TEST(WallClock, FollowsNamedZonesThroughSummerTimeAndBeyondTheTables) {
  const std::vector<ZoneCase> cases{
      {"UTC", utc(2026, 11, 23, 23, 30), "2026-11-23", "233000"},
      {"Europe/Berlin", utc(2026, 11, 23, 23, 30), "2026-11-24", "003000"},
      {"Europe/Berlin", utc(2026, 3, 29, 0, 59), "2026-03-29", "015900"},
      {"Europe/Berlin", utc(2026, 3, 29, 1, 0), "2026-03-29", "030000"},
      {"Europe/Berlin", utc(2026, 10, 25, 0, 59), "2026-10-25", "025900"},
      {"Europe/Berlin", utc(2026, 10, 25, 1, 0), "2026-10-25", "020000"},
      {"Europe/Berlin", utc(2045, 7, 1, 12, 0), "2045-07-01", "140000"},
      {"America/New_York", utc(2040, 1, 1, 3, 0), "2039-12-31", "220000"},
      {"Asia/Kolkata", utc(2026, 11, 23, 20, 0), "2026-11-24", "013000"},
      {"Australia/Sydney", utc(2026, 1, 1, 0, 0), "2026-01-01", "110000"},
      {"Australia/Sydney", utc(2050, 7, 1, 0, 0), "2050-07-01", "100000"},
  };
  for (const ZoneCase& one : cases) {
    const WallClock clock = wall_clock(one.moment, one.zone);
    EXPECT_EQ(clock.date, one.date) << one.zone;
    EXPECT_EQ(clock.time, one.time) << one.zone;
  }
}

}  // namespace
}  // namespace bp::config
