// Stages that do not come back: tests the quarantine of engine/run_stop.cpp.
#include "tests/support/job_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp {
namespace {

using test::at_abort;
using test::at_commit;
using test::blocking;
using test::chunk;
using test::fails_after;
using test::ignores_stop_after;
using test::JobFixture;
using test::pattern;
using test::Script;
using test::sink_report;
using test::Step;
using test::Witness;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const test::Bytes data = pattern(50 * chunk);

/// Short enough for a test that waits for it, long enough for a loaded machine to run those who
/// obey.
constexpr std::chrono::milliseconds patience{150};

class Quarantine : public ::testing::TestWithParam<bool> {
 protected:
  Quarantine() { job.options.abort_deadline = patience; }
  Script flavoured(Script script) const {
    script.blocking = GetParam();
    return script;
  }
  static int status_of(const SourceReport& report) {
    RunReport whole;
    whole.sources = {report};
    return exit_status(whole, 0, false);
  }
  JobFixture job;
};
INSTANTIATE_TEST_SUITE_P(Flavours, Quarantine, ::testing::Bool(), [](const auto& flavour) {
  return flavour.param ? "Threads" : "Coroutines";
});

TEST_P(Quarantine, NamesADeafDestinationAndCommitsTheOthers) {
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  job.edge = {.slots = 1, .max_stall = std::chrono::milliseconds{20}};
  const Witness& deaf = job.sink("deaf", flavoured(ignores_stop_after(chunk)));

  const SourceReport report = job.run();
  job.let_all_come_home();

  EXPECT_EQ(report.outcome, Outcome::partly_stored);
  EXPECT_EQ(good.visible, data);
  EXPECT_EQ(deaf.commits + deaf.aborts, 0);
  EXPECT_THAT(report.left_behind,
              ElementsAre("'deaf' did not stop: what it holds may be left behind"));
  EXPECT_EQ(status_of(report), 6);
}

TEST_P(Quarantine, KeepsTheCauseOfWhichADeafStageIsOnlyAWitness) {
  job.source("deaf", data, flavoured(ignores_stop_after(chunk)));
  const Witness& bad = job.sink("bad", fails_after(chunk));

  const SourceReport report = job.run();

  EXPECT_STREQ(report.cause->what(), "bad: scripted failure");
  EXPECT_EQ(bad.aborts, 1);
  EXPECT_THAT(report.left_behind, ElementsAre(HasSubstr("'deaf'")));
}

TEST_P(Quarantine, AbortsTheDestinationBehindADeafFilter) {
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  job.edge = {.slots = 1, .max_stall = std::chrono::milliseconds{20}};
  job.filter("deaf", flavoured(ignores_stop_after(chunk)));
  const Witness& behind = job.sink("behind");

  const SourceReport report = job.run();

  EXPECT_EQ(good.commits, 1);
  EXPECT_EQ(behind.aborts, 1);
  EXPECT_THAT(report.left_behind, ElementsAre(HasSubstr("'deaf'")));
}

TEST_P(Quarantine, EndsAStopThatADeafStageIgnores) {
  job.options.hurried_grace = patience;
  Script script = ignores_stop_after(chunk);
  script.transfer.reached = [this] { job.stop.request_stop(); };
  job.source("numbers", data);
  const Witness& deaf = job.sink("deaf", flavoured(script));
  const Witness& good = job.sink("good");

  const SourceReport report = job.run();
  job.let_all_come_home();

  EXPECT_EQ(report.outcome, Outcome::cancelled);
  EXPECT_EQ(good.aborts, 1);
  EXPECT_EQ(deaf.aborts, 0);
  EXPECT_THAT(report.left_behind, ElementsAre(HasSubstr("'deaf'")));
}

TEST_P(Quarantine, EndsADeafCommitAndTakesNoLaterAnswer) {
  job.options.commit_deadline = std::chrono::milliseconds{20};
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  const Witness& deaf = job.sink("deaf", flavoured(at_commit(Step::Act::ignores_stop)));

  const SourceReport report = job.run();
  job.let_all_come_home();

  EXPECT_EQ(report.outcome, Outcome::partly_stored);
  EXPECT_FALSE(sink_report(report, "deaf").receipt);
  EXPECT_THAT(report.left_behind, ElementsAre("'deaf' did not say whether it committed"));
  EXPECT_EQ(good.visible, data);
  EXPECT_EQ(deaf.aborts, 0);
}

TEST_P(Quarantine, EndsADeafAbort) {
  job.source("numbers", data);
  const Witness& deaf = job.sink("deaf", flavoured(at_abort(Step::Act::ignores_stop, chunk)));

  const SourceReport report = job.run();
  job.let_all_come_home();

  EXPECT_STREQ(report.cause->what(), "deaf: scripted failure");
  EXPECT_THAT(report.left_behind, ElementsAre("'deaf': did not stop and was given up"));
  EXPECT_EQ(deaf.aborts, 1);
}

TEST_P(Quarantine, ComplainsAboutASlowStopBeforeItGivesUp) {
  job.options.stop_grace = std::chrono::milliseconds{5};
  job.source("numbers", data);
  job.sink("bad", fails_after(chunk));
  job.edge = {.slots = 1, .max_stall = std::chrono::milliseconds{5}};
  job.sink("deaf", flavoured(ignores_stop_after(chunk)));

  const SourceReport report = job.run();

  bool complained = false;
  for (const Warning& warning : report.warnings) {
    complained = complained || (warning.stage == "deaf" &&
                                warning.text == "has not stopped 0.005 s after it was asked to");
  }
  EXPECT_TRUE(complained);
}

}  // namespace
}  // namespace bp
