#include "tools/output/progress.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace bp::test {
namespace {

using namespace std::chrono_literals;
using tools::SourceProgress;
using tools::StageRates;

/// etc → gzip → disk after `elapsed`; gzip never waits, the others wait for it.
Progress snapshot(std::chrono::seconds elapsed, std::uint64_t read, std::uint64_t stored) {
  Progress now{.elapsed = elapsed, .edges = {}, .chunks_in_use = 0};
  const std::chrono::nanoseconds three_quarters = std::chrono::nanoseconds{elapsed} * 3 / 4;
  now.edges.push_back({"etc", "gzip", read, read, three_quarters, 0ns, 8, 8});
  now.edges.push_back({"gzip", "disk", stored, stored, 0ns, three_quarters, 1, 8});
  return now;
}

SourceProgress after_two_seconds(std::optional<std::uint64_t> expected = std::nullopt) {
  SourceProgress progress{"etc", expected};
  progress.take(snapshot(1s, 100'000'000, 30'000'000));
  progress.take(snapshot(2s, 300'000'000, 90'000'000));
  return progress;
}

TEST(SourceProgress, GivesRatesBetweenTheLastTwoSnapshots) {
  const SourceProgress progress = after_two_seconds();

  ASSERT_EQ(progress.stages().size(), 3U);
  const StageRates& gzip = progress.stages()[1];
  EXPECT_EQ(gzip.name, "gzip");
  EXPECT_DOUBLE_EQ(*gzip.in, 200e6);
  EXPECT_DOUBLE_EQ(*gzip.out, 60e6);
  EXPECT_EQ(gzip.fill, 8U);
  EXPECT_FALSE(progress.stages()[0].in.has_value());
  EXPECT_FALSE(progress.stages()[2].out.has_value());
}

TEST(SourceProgress, NamesTheStageThatTheOthersWaitFor) {
  const SourceProgress progress = after_two_seconds();

  ASSERT_NE(progress.limiting(), nullptr);
  EXPECT_EQ(progress.limiting()->name, "gzip");
  EXPECT_DOUBLE_EQ(progress.limiting()->busy(), 1);
  EXPECT_DOUBLE_EQ(progress.stages()[0].waits_for_room, 0.75);
  EXPECT_DOUBLE_EQ(progress.stages()[2].waits_for_input, 0.75);
}

TEST(SourceProgress, CountsWhatEntersAndWhatLeavesTheGraph) {
  const SourceProgress progress = after_two_seconds();

  EXPECT_EQ(progress.bytes_read(), 300'000'000U);
  EXPECT_EQ(progress.bytes_stored(), 90'000'000U);
}

TEST(SourceProgress, ExpectsItsEndByTheLastSizeAndNotWithoutOne) {
  EXPECT_EQ(after_two_seconds(900'000'000).remaining(), 4s);
  EXPECT_EQ(after_two_seconds().remaining(), std::nullopt);
  EXPECT_EQ(after_two_seconds(200'000'000).remaining(), std::nullopt);
}

TEST(SourceProgress, CutsItsLinesToTheWidth) {
  for (const std::size_t width : {20U, 80U, 200U}) {
    for (const std::string& line : after_two_seconds().lines(width)) {
      EXPECT_LE(line.size(), width);
    }
  }
}

TEST(SourceProgress, MarksTheLimitingLine) {
  const auto lines = after_two_seconds().lines(200);

  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[2].starts_with("> gzip")) << lines[2];
  EXPECT_TRUE(lines[1].starts_with("  etc")) << lines[1];
}

TEST(SourceProgress, SaysItInOneLine) {
  EXPECT_EQ(after_two_seconds(900'000'000).plain(),
            "etc: 286.1 MiB read, 85.8 MiB stored in 0:02, 150.0 MB/s, limited by gzip, about 4s "
            "left");
}

TEST(SourceProgress, SaysItAsOneJsonObject) {
  const std::string json = after_two_seconds().json();

  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_TRUE(json.starts_with(R"({"source":"etc","elapsed_s":2.0,"bytes_read":300000000,)"))
      << json;
}

TEST(Fit, CountsCodePointsAndCutsNoneInTwo) {
  EXPECT_EQ(tools::fit("aüb", 2), "aü");
  EXPECT_EQ(tools::fit("aüb", 1), "a");
  EXPECT_EQ(tools::fit("aüb", 3), "aüb");
}

}  // namespace
}  // namespace bp::test
