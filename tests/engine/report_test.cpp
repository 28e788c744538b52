#include "engine/report.hpp"

#include <gtest/gtest.h>

namespace bp {
namespace {

SourceReport source(Outcome outcome, bool started = true) {
  SourceReport report;
  report.outcome = outcome;
  report.started = started;
  return report;
}

RunReport run_of(std::vector<SourceReport> sources) {
  RunReport report;
  report.sources = std::move(sources);
  return report;
}

constexpr int no_signal = 0, sigint = 2, sigterm = 15;

TEST(ExitStatus, IsZeroWhenEverythingIsStored) {
  const RunReport report = run_of({source(Outcome::stored), source(Outcome::stored)});
  EXPECT_EQ(exit_status(report, no_signal, false), 0);
}

TEST(ExitStatus, IsOneWhenARequiredCopyIsMissing) {
  for (const Outcome outcome : {Outcome::partly_stored, Outcome::failed, Outcome::cancelled}) {
    const RunReport report = run_of({source(Outcome::stored), source(outcome)});
    EXPECT_EQ(exit_status(report, no_signal, false), 1) << to_string(outcome);
  }
}

TEST(ExitStatus, IsTwoOnlyWhenNothingStarted) {
  const SourceReport refused = source(Outcome::failed, /*started=*/false);
  EXPECT_EQ(exit_status(run_of({refused}), no_signal, false), 2);
  EXPECT_EQ(exit_status(run_of({refused, refused}), no_signal, false), 2);
  EXPECT_EQ(exit_status(run_of({refused, source(Outcome::stored)}), no_signal, false), 1);
}

TEST(ExitStatus, IsZeroWhenAPreflightAloneWentWell) {
  const SourceReport could_run = source(Outcome::stored, /*started=*/false);
  EXPECT_EQ(exit_status(run_of({could_run}), no_signal, false), 0);
  const SourceReport refused = source(Outcome::failed, /*started=*/false);
  EXPECT_EQ(exit_status(run_of({could_run, refused}), no_signal, false), 2);
}

TEST(ExitStatus, IsThreeForWarningsUnlessTheyAreFine) {
  RunReport of_a_source = run_of({source(Outcome::stored_with_warnings)});
  EXPECT_EQ(exit_status(of_a_source, no_signal, false), 3);
  EXPECT_EQ(exit_status(of_a_source, no_signal, true), 0);

  RunReport of_the_run = run_of({source(Outcome::stored)});
  of_the_run.warnings.emplace_back("the webhook did not answer");
  EXPECT_EQ(exit_status(of_the_run, no_signal, false), 3);
  EXPECT_EQ(exit_status(of_the_run, no_signal, true), 0);
}

TEST(ExitStatus, TellsTheSignal) {
  const RunReport report = run_of({source(Outcome::cancelled)});
  EXPECT_EQ(exit_status(report, sigint, false), 130);
  EXPECT_EQ(exit_status(report, sigterm, false), 143);
}

TEST(ExitStatus, TellsTheSignalAlsoWhenNothingHadStarted) {
  const RunReport report = run_of({source(Outcome::cancelled, /*started=*/false)});
  EXPECT_EQ(exit_status(report, sigterm, false), 143);
}

TEST(ExitStatus, IsSixWhateverElseHappenedWhenSomethingIsLeftBehind) {
  RunReport by_a_source = run_of({source(Outcome::stored)});
  by_a_source.sources[0].left_behind.emplace_back("s3");
  EXPECT_EQ(exit_status(by_a_source, no_signal, true), 6);
  EXPECT_EQ(exit_status(by_a_source, sigterm, true), 6);

  RunReport by_the_run = run_of({source(Outcome::failed, /*started=*/false)});
  by_the_run.left_behind.emplace_back("an instance");
  EXPECT_EQ(exit_status(by_the_run, no_signal, false), 6);
}

TEST(ExitStatus, PutsTheMissingCopyBeforeTheWarning) {
  const RunReport report =
      run_of({source(Outcome::stored_with_warnings), source(Outcome::partly_stored)});
  EXPECT_EQ(exit_status(report, no_signal, true), 1);
}

TEST(SourceReport, FindsItsStagesByName) {
  SourceReport report;
  StageReport stage;
  stage.name = "gzip";
  report.stages.push_back(stage);
  EXPECT_EQ(report.find_stage("gzip"), &report.stages[0]);
  EXPECT_EQ(report.find_stage("zstd"), nullptr);
}

TEST(SourceReport, CountsAsCommittedWhatHasAReceipt) {
  SourceReport report;
  report.sinks.resize(3);
  report.sinks[1].receipt = Receipt{};
  EXPECT_EQ(report.committed(), 1U);
}

TEST(Outcome, HasItsWordInTheReport) {
  EXPECT_EQ(to_string(Outcome::stored), "stored");
  EXPECT_EQ(to_string(Outcome::stored_with_warnings), "stored_with_warnings");
  EXPECT_EQ(to_string(Outcome::partly_stored), "partly_stored");
  EXPECT_EQ(to_string(Outcome::failed), "failed");
  EXPECT_EQ(to_string(Outcome::cancelled), "cancelled");
}

}  // namespace
}  // namespace bp
