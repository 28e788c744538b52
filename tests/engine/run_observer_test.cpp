// What can be seen of a run from outside: tests the observing of engine/run_state.cpp.
#include "tests/support/job_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace bp {
namespace {

using test::chunk;
using test::hangs_after;
using test::JobFixture;
using test::pattern;
using test::Witness;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const test::Bytes data = pattern(10 * chunk);

TEST(Observer, SeesTheRunningNumbers) {
  JobFixture job;
  job.options.observe_every = std::chrono::milliseconds{1};
  std::optional<Progress> seen;
  job.options.observe = [&](const Progress& progress) {
    // The sink has taken one chunk and hangs; two are on the edge; then the source waits.
    const bool stands_still = progress.edges[0].bytes_pushed == 3 * chunk;
    if (!stands_still || seen) return;
    seen = progress;
    job.gate.open();
  };
  job.source("numbers", data);
  job.edge = {.slots = 2};
  job.sink("sink", hangs_after(chunk));

  EXPECT_EQ(job.run().outcome, Outcome::stored);

  ASSERT_TRUE(seen);
  ASSERT_THAT(seen->edges, SizeIs(1));
  const Progress::Edge& edge = seen->edges[0];
  EXPECT_EQ(edge.from, "numbers");
  EXPECT_EQ(edge.to, "sink");
  EXPECT_EQ(edge.bytes_popped, chunk);
  EXPECT_EQ(edge.fill, 2U);
  EXPECT_EQ(edge.slots, 2U);
  EXPECT_EQ(seen->chunks_in_use, 4U);  // one in the sink, two on the edge, one in the source's hand
}

TEST(Observer, IsShownTheEndOfTheTransfer) {
  JobFixture job;
  job.options.observe_every = std::chrono::hours{1};
  std::vector<std::uint64_t> popped;
  job.options.observe = [&](const Progress& progress) {
    popped.push_back(progress.edges[0].bytes_popped);
  };
  job.source("numbers", data);
  job.sink("sink");
  (void)job.run();
  EXPECT_THAT(popped, ::testing::ElementsAre(data.size()));
}

TEST(Observer, ThatThrowsIsNotAskedAgainAndVoidsNothing) {
  JobFixture job;
  job.options.observe_every = std::chrono::milliseconds{0};
  int calls = 0;
  job.options.observe = [&](const Progress&) {
    ++calls;
    throw std::runtime_error{"no terminal"};
  };
  job.source("numbers", data);
  const Witness& sink = job.sink("sink", test::blocking({}));

  const SourceReport report = job.run();

  EXPECT_EQ(calls, 1);
  EXPECT_EQ(sink.visible, data);
  EXPECT_EQ(report.outcome, Outcome::stored_with_warnings);
  ASSERT_THAT(report.warnings, SizeIs(1));
  EXPECT_EQ(report.warnings[0].text, "the observer failed: no terminal");
}

TEST(Run, ReportsWhereStagesWaited) {
  JobFixture job;
  job.options.observe_every = std::chrono::milliseconds{1};
  job.options.observe = [&](const Progress& progress) {
    if (progress.elapsed > std::chrono::milliseconds{5}) job.gate.open();
  };
  job.source("numbers", data);
  job.sink("slow", hangs_after(chunk));
  const SourceReport report = job.run();
  EXPECT_GT(report.find_stage("numbers")->blocked_out, std::chrono::milliseconds{1});
  EXPECT_EQ(report.find_stage("slow")->blocked_out, std::chrono::nanoseconds{0});
  EXPECT_GE(report.peak_chunks, 3U);
}

}  // namespace
}  // namespace bp
