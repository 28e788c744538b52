// What a run makes of failures in transfer and commit: tests engine/run.cpp and run_report.cpp.
#include "engine/run.hpp"
#include "tests/support/job_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace bp {
namespace {

using test::at_abort;
using test::at_commit;
using test::blocking;
using test::chunk;
using test::fails_after;
using test::hangs_after;
using test::JobFixture;
using test::pattern;
using test::returns_after;
using test::sink_report;
using test::Step;
using test::Witness;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const test::Bytes data = pattern(5 * chunk + 7);

TEST(Run, StoresAStreamUnchanged) {
  JobFixture job;
  job.source("numbers", data);
  job.filter("filter");
  job.filter("thread", blocking({}));
  const Witness& sink = job.sink("sink");

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::stored);
  EXPECT_TRUE(report.started);
  EXPECT_FALSE(report.cause);
  EXPECT_EQ(sink.visible, data);
  EXPECT_EQ(sink_report(report, "sink").receipt->bytes, data.size());
  EXPECT_EQ(report.find_stage("thread")->bytes_in, data.size());
  EXPECT_EQ(report.find_stage("numbers")->bytes_out, data.size());
  EXPECT_LE(report.began, report.ended);
}

TEST(Run, StoresAnEmptyStream) {
  JobFixture job;
  job.source("nothing", test::Bytes{});
  job.filter("filter");
  const Witness& sink = job.sink("sink");
  EXPECT_EQ(job.run().outcome, Outcome::stored);
  EXPECT_EQ(sink.commits, 1);
}

TEST(Run, GrantsWhatThePlanSays) {
  JobFixture job;
  job.source("numbers", data);
  const Witness& sink = job.sink("sink");
  (void)job.run();
  EXPECT_EQ(sink.granted, 2U);
}

TEST(Run, CallsAStreamWithAMissingRequiredCopyPartlyStored) {
  JobFixture job;
  job.source("numbers", data);
  job.sink("good");
  job.sink("bad", fails_after(chunk));
  const SourceReport report = job.run();
  EXPECT_EQ(report.outcome, Outcome::partly_stored);
  EXPECT_TRUE(sink_report(report, "good").receipt);
  EXPECT_FALSE(sink_report(report, "bad").receipt);
  EXPECT_STREQ(sink_report(report, "bad").failure->what(), "scripted failure");
}

TEST(Run, CallsAMissingOptionalCopyAWarning) {
  JobFixture job;
  job.source("numbers", data);
  job.sink("good");
  job.optional_sink("bad", fails_after(chunk));
  EXPECT_EQ(job.run().outcome, Outcome::stored_with_warnings);
}

TEST(Run, FailsWhenNoCopyIsLeftEvenIfAllWereOptional) {
  JobFixture job;
  job.source("numbers", data);
  job.optional_sink("bad", fails_after(chunk));
  job.optional_sink("worse", fails_after(2 * chunk));
  EXPECT_EQ(job.run().outcome, Outcome::failed);
}

TEST(Run, FailsBelowTheLeastNumberOfCopies) {
  JobFixture job;
  job.options.min_success = 2;
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  job.optional_sink("bad", fails_after(chunk));
  EXPECT_EQ(job.run().outcome, Outcome::failed);
  EXPECT_EQ(good.commits, 1);  // one copy is better than none
}

TEST(Run, SaysWhenFewerCopiesExistThanAreWanted) {
  JobFixture job;
  job.options.min_success = 2;
  job.source("numbers", data);
  job.sink("only");
  const SourceReport report = job.run();
  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_STREQ(report.cause->what(), "1 of 1 copies were stored, at least 2 are wanted");
}

TEST(Run, CommitsNowhereWhenAllOrNothingIsAskedForAndOneFails) {
  JobFixture job;
  job.options.all_or_nothing = true;
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  const Witness& bad = job.optional_sink("bad", fails_after(chunk));

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_STREQ(report.cause->what(), "bad: scripted failure");
  EXPECT_EQ(good.commits, 0);
  EXPECT_EQ(good.aborts, 1);
  EXPECT_EQ(bad.aborts, 1);
}

TEST(Run, DoesNotTransferForNothingWhenAllOrNothingCannotBecomeAll) {
  JobFixture job;
  job.options.all_or_nothing = true;
  // Ends only because it is told to.
  job.source("endless", data, hangs_after(4 * chunk));
  const Witness& good = job.sink("good");
  job.sink("bad", fails_after(chunk));
  EXPECT_EQ(job.run().outcome, Outcome::failed);
  EXPECT_EQ(good.aborts, 1);
}

TEST(Run, RefusesToCommitAnythingThatAnEarlyLeaverDidNotRead) {
  JobFixture job;
  job.source("numbers", data);
  const Witness& sink = job.sink("sink", returns_after(chunk));
  const SourceReport report = job.run();
  EXPECT_STREQ(report.cause->what(), "sink: returned before the end of its input");
  EXPECT_EQ(sink.commits, 0);
  EXPECT_EQ(sink.aborts, 1);
}

/// Breaks the rule that every chunk but the last is full.
class ShortChunks final : public Source {
 public:
  asio::awaitable<void> produce(Outlet& out, StageContext& ctx) override {
    for (int i = 0; i < 2; ++i) {
      Buffer buffer = ctx.pool().acquire();
      buffer.append(pattern(3));
      Chunk short_one = std::move(buffer).freeze();
      co_await out.push(std::move(short_one));
    }
  }
};

TEST(Run, FailsAStageThatPushesAChunkAfterAShortOne) {
  JobFixture job;
  job.source("short", std::make_unique<ShortChunks>());
  const Witness& sink = job.sink("sink");
  EXPECT_STREQ(job.run().cause->what(),
               "short: a stage pushed a chunk after one that was not full");
  EXPECT_EQ(sink.aborts, 1);
}

TEST(Run, TakesAFailureFromAStageThatIsNoCoroutineYet) {
  JobFixture job;
  test::Script script = fails_after(0);
  script.throws_at_once = true;
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  job.sink("bad", script);
  EXPECT_STREQ(job.run().cause->what(), "bad: scripted failure");
  EXPECT_EQ(good.visible, data);
}

TEST(Run, NamesAStageThatGivesUpAsIfItHadBeenTold) {
  JobFixture job;
  test::Script script = fails_after(chunk);
  script.transfer.error = Error{Errc::peer_failed, "broken pipe"};
  job.source("numbers", data, script);
  const Witness& sink = job.sink("sink");
  EXPECT_STREQ(job.run().cause->what(), "numbers: gave up by itself: broken pipe");
  EXPECT_EQ(sink.aborts, 1);
}

TEST(Run, ReportsAFailedCommitAndDoesNotAbortAfterIt) {
  JobFixture job;
  job.source("numbers", data);
  const Witness& good = job.sink("good");
  const Witness& bad = job.sink("bad", at_commit(Step::Act::fails));

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::partly_stored);
  EXPECT_STREQ(report.cause->what(), "bad: scripted failure");
  EXPECT_EQ(good.commits, 1);
  EXPECT_EQ(bad.commits, 1);
  EXPECT_EQ(bad.aborts, 0);
  EXPECT_FALSE(sink_report(report, "bad").receipt);
  EXPECT_THAT(report.left_behind, IsEmpty());
}

TEST(Run, LeavesOpenWhatALateCommitDid) {
  JobFixture job;
  job.options.commit_deadline = std::chrono::milliseconds{20};
  job.source("numbers", data);
  const Witness& late = job.sink("late", at_commit(Step::Act::hangs));

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_STREQ(report.cause->what(), "late: took longer than 0.02 s");
  EXPECT_THAT(report.left_behind, ElementsAre("'late' did not say whether it committed"));
  EXPECT_EQ(late.aborts, 0);
}

TEST(Run, NamesWhatAFailedCleanUpLeavesAndKeepsTheCause) {
  JobFixture job;
  job.source("numbers", data);
  for (const bool at_once : {false, true}) {
    test::Script script = at_abort(Step::Act::fails);
    script.throws_at_once = at_once;
    script.abort.error = Error{Errc::destination, "503 slow down"};
    job.sink(at_once ? "plain" : "coroutine", script);
  }
  const SourceReport report = job.run();

  EXPECT_STREQ(report.cause->what(), "coroutine: scripted failure");
  EXPECT_THAT(report.left_behind,
              ElementsAre("'coroutine': 503 slow down", "'plain': 503 slow down"));
  EXPECT_THAT(report.secondary, SizeIs(3));
  RunReport whole;
  whole.sources = {report};
  EXPECT_EQ(exit_status(whole, 0, false), 6);
}

TEST(Run, GivesACleanUpItsDeadline) {
  JobFixture job;
  job.options.abort_deadline = std::chrono::milliseconds{20};
  job.source("numbers", data);
  job.sink("sink", at_abort(Step::Act::hangs));
  const SourceReport report = job.run();
  EXPECT_STREQ(report.cause->what(), "sink: scripted failure");
  EXPECT_THAT(report.left_behind, ElementsAre("'sink': took longer than 0.02 s"));
}

TEST(Run, WarnsInTheNameOfTheStage) {
  class Warner final : public Source {
   public:
    asio::awaitable<void> produce(Outlet&, StageContext& ctx) override {
      ctx.warn("1 file changed while it was read", {"a.txt"});
      ctx.note("exit", "1");
      ctx.add_cpu(std::chrono::seconds{3});
      co_return;
    }
  };
  JobFixture job;
  job.source("files", std::make_unique<Warner>());
  job.sink("sink");

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::stored_with_warnings);
  ASSERT_THAT(report.warnings, SizeIs(1));
  EXPECT_EQ(report.warnings[0].stage, "files");
  EXPECT_THAT(report.warnings[0].lines, ElementsAre("a.txt"));
  EXPECT_EQ(report.find_stage("files")->notes.at("exit"), "1");
  EXPECT_EQ(report.find_stage("files")->cpu, std::chrono::seconds{3});
}

/// Promise 48: a failure at a random place of a random job, in a stage of a random kind and
/// flavour.
TEST(Run, NamesFirstTheStageThatFailedFirst) {
  std::mt19937 random{48};
  for (int round = 0; round < 100; ++round) {
    JobFixture job;
    const std::size_t victim = random() % 5;
    const auto script = [&](std::size_t stage) {
      test::Script part = stage == victim ? fails_after(random() % (4 * chunk)) : test::Script{};
      return random() % 2 == 0 ? blocking(part) : part;
    };
    const std::array<std::string, 5> names{"source", "first", "second", "sink", "other"};
    job.source(names[0], data, script(0));
    job.filter(names[1], script(1));
    job.filter(names[2], script(2));
    job.sink(names[3], script(3));
    job.behind("first").sink(names[4], script(4));

    const SourceReport report = job.run();

    ASSERT_TRUE(report.cause) << "round " << round;
    EXPECT_EQ(report.cause->what(), names.at(victim) + ": scripted failure") << "round " << round;
  }
}

TEST(Run, KeepsTheFirstOfTwoFailuresAndRemembersTheOther) {
  JobFixture job;
  job.source("numbers", data);
  job.sink("first", fails_after(0));
  job.behind("numbers").sink("second", fails_after(3 * chunk));
  const SourceReport report = job.run();
  EXPECT_STREQ(report.cause->what(), "first: scripted failure");
  ASSERT_THAT(report.secondary, SizeIs(1));
  EXPECT_STREQ(report.secondary[0].what(), "second: scripted failure");
}

}  // namespace
}  // namespace bp
