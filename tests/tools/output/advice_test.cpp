#include "tools/output/advice.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace bp::test {
namespace {

using namespace std::chrono_literals;

/// Ten seconds in which gzip waited for nobody.
SourceReport stored_source() {
  SourceReport source;
  source.id = "etc";
  source.kind = "folder";
  source.started = true;
  source.began = std::chrono::system_clock::time_point{};
  source.ended = source.began + 10s;
  source.sinks.push_back({.name = "disk", .required = true, .receipt = Receipt{}, .failure = {}});
  const auto stage = [&](const char* name, std::chrono::nanoseconds in,
                         std::chrono::nanoseconds out) {
    StageReport one;
    one.name = name;
    one.blocked_in = in;
    one.blocked_out = out;
    source.stages.push_back(one);
  };
  stage("etc", 0s, 8s);
  stage("gzip", 2s, 0s);
  stage("disk", 9s, 0s);
  return source;
}

TEST(Advice, NamesTheStageThatWasBusyLongestAndWhatHelps) {
  EXPECT_EQ(tools::advice(stored_source(), {}),
            "limited by gzip, busy 80 % of the time: try zstd, or a lower level");
}

TEST(Advice, KnowsTheSourceByItsType) {
  SourceReport source = stored_source();
  source.stages[0].blocked_out = 1s;

  EXPECT_EQ(tools::advice(source, {}),
            "limited by etc, busy 90 % of the time: reading the files: a faster disk, or fewer and "
            "larger files");
}

TEST(Advice, IsSilentAboutAFailedSourceAndAShortOne) {
  SourceReport failed = stored_source();
  failed.sinks.front().receipt.reset();
  EXPECT_EQ(tools::advice(failed, {}), std::nullopt);

  SourceReport quick = stored_source();
  quick.ended = quick.began + 1s;
  EXPECT_EQ(tools::advice(quick, {}), std::nullopt);
}

}  // namespace
}  // namespace bp::test
