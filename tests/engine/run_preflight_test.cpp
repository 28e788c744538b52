// What may be refused before anything starts: tests the preflight of engine/run.cpp.
#include "engine/run.hpp"
#include "tests/support/job_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp {
namespace {

using test::at_preflight;
using test::chunk;
using test::JobFixture;
using test::pattern;
using test::sink_report;
using test::Step;
using test::Witness;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const test::Bytes data = pattern(3 * chunk);

TEST(Preflight, CutsARefusedDestinationWhileAnotherLives) {
  JobFixture job;
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  const Witness& refused = job.sink("refused", at_preflight(Step::Act::fails));

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::partly_stored);
  EXPECT_TRUE(report.started);
  EXPECT_STREQ(report.cause->what(), "refused: scripted failure");
  EXPECT_EQ(good.visible, data);
  EXPECT_EQ(refused.transfers, 0);
  EXPECT_EQ(refused.commits + refused.aborts, 0);
}

TEST(Preflight, CutsTheWholeLegOfARefusedFilter) {
  JobFixture job;
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  job.filter("refused", at_preflight(Step::Act::fails));
  const Witness& behind = job.sink("behind");

  const SourceReport report = job.run();

  EXPECT_STREQ(report.cause->what(), "refused: scripted failure");
  EXPECT_EQ(good.commits, 1);
  EXPECT_EQ(behind.transfers + behind.commits + behind.aborts, 0);
}

TEST(Preflight, StartsNothingWhenNoDestinationIsLeft) {
  JobFixture job;
  const Witness& source = job.source("numbers", data);
  const Witness& filter = job.filter("filter");
  const Witness& one = job.sink("one", at_preflight(Step::Act::fails));
  const Witness& two = job.sink("two", at_preflight(Step::Act::fails));

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_FALSE(report.started);
  EXPECT_THAT(report.secondary, SizeIs(1));  // both refusals are told
  EXPECT_EQ(source.preflights, 0);
  for (const Witness* stage : {&source, &filter, &one, &two}) {
    EXPECT_EQ(stage->transfers + stage->commits + stage->aborts, 0);
  }
  RunReport whole;
  whole.sources = {report};
  EXPECT_EQ(exit_status(whole, 0, false), 2);
}

TEST(Preflight, StartsNothingWhenTheSourceRefuses) {
  JobFixture job;
  job.source("numbers", data, at_preflight(Step::Act::fails));
  const Witness& sink = job.sink("sink");

  const SourceReport report = job.run();

  EXPECT_FALSE(report.started);
  EXPECT_STREQ(report.cause->what(), "numbers: scripted failure");
  EXPECT_EQ(sink.preflights, 1);
  EXPECT_EQ(sink.transfers + sink.commits + sink.aborts, 0);
}

TEST(Preflight, StartsNothingWithAllOrNothingWhenOneRefuses) {
  JobFixture job;
  job.options.all_or_nothing = true;
  const Witness& source = job.source("numbers", data);
  const Witness& good = job.sink("good");
  job.optional_sink("refused", at_preflight(Step::Act::fails));

  const SourceReport report = job.run();

  EXPECT_FALSE(report.started);
  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_EQ(source.transfers + good.transfers, 0);
}

TEST(Preflight, CutsASlowOneAtItsDeadline) {
  JobFixture job;
  job.options.preflight_deadline = std::chrono::milliseconds{20};
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  job.sink("slow", at_preflight(Step::Act::hangs));

  const SourceReport report = job.run();

  EXPECT_STREQ(report.cause->what(), "slow: took longer than 0.02 s");
  EXPECT_EQ(report.cause->code(), Errc::timeout);
  EXPECT_THAT(report.left_behind, IsEmpty());
  EXPECT_EQ(good.commits, 1);
}

TEST(Preflight, GivesUpOneThatIgnoresItsDeadline) {
  JobFixture job;
  job.options.preflight_deadline = std::chrono::milliseconds{20};
  job.options.abort_deadline = std::chrono::milliseconds{20};
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  const Witness& deaf = job.sink("deaf", at_preflight(Step::Act::ignores_stop));

  const SourceReport report = job.run();

  EXPECT_STREQ(report.cause->what(), "deaf: did not stop and was given up");
  EXPECT_THAT(report.left_behind, SizeIs(1));
  EXPECT_EQ(good.commits, 1);
  EXPECT_EQ(deaf.transfers + deaf.aborts, 0);
}

TEST(Preflight, TakesARefusalFromAStageThatIsNoCoroutineYet) {
  JobFixture job;
  test::Script script = at_preflight(Step::Act::fails);
  script.throws_at_once = true;
  job.source("numbers", data);
  job.sink("good");
  job.sink("bad", script);
  EXPECT_STREQ(job.run().cause->what(), "bad: scripted failure");
}

TEST(Preflight, TakesARefusalOfTheMemoryThatIsGranted) {
  JobFixture job;
  test::Script script;
  script.grant = Error{Errc::destination, "too little for a part"};
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  const Witness& bad = job.sink("bad", script);

  const SourceReport report = job.run();

  EXPECT_STREQ(report.cause->what(), "bad: too little for a part");
  EXPECT_EQ(bad.preflights, 0);
  EXPECT_EQ(good.commits, 1);
}

TEST(Preflight, AloneStartsNothingAndSaysThatItCouldRun) {
  JobFixture job;
  job.options.preflight_only = true;
  const Witness& source = job.source("numbers", data);
  const Witness& sink = job.sink("sink");

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::stored);
  EXPECT_FALSE(report.started);
  EXPECT_EQ(source.preflights, 1);
  EXPECT_EQ(sink.preflights, 1);
  EXPECT_EQ(source.transfers + sink.transfers + sink.commits + sink.aborts, 0);
}

TEST(Preflight, AloneFailsForASingleRefusal) {
  JobFixture job;
  job.options.preflight_only = true;
  job.source("numbers", data);
  job.sink("good");
  job.optional_sink("refused", at_preflight(Step::Act::fails));
  EXPECT_EQ(job.run().outcome, Outcome::failed);
}

}  // namespace
}  // namespace bp
