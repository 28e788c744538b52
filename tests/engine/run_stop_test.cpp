// A stop request in every phase of a run: tests engine/run_stop.cpp.
#include "tests/support/job_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp {
namespace {

using test::at_abort;
using test::at_commit;
using test::at_preflight;
using test::blocking;
using test::chunk;
using test::fails_after;
using test::hangs_after;
using test::JobFixture;
using test::pattern;
using test::Script;
using test::sink_report;
using test::Step;
using test::Witness;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const test::Bytes data = pattern(20 * chunk);

/// Requests the stop when the script's act is reached, on whatever thread that is.
Step stopping(JobFixture& job, Step step) {
  step.reached = [&job] { job.stop.request_stop(); };
  return step;
}

void expect_cancelled(const SourceReport& report) {
  EXPECT_EQ(report.outcome, Outcome::cancelled);
  EXPECT_FALSE(report.cause) << report.cause->what();
  EXPECT_THAT(report.left_behind, IsEmpty());
}

TEST(Stop, BeforeTheRunCallsNothing) {
  JobFixture job;
  job.stop.request_stop();
  const Witness& source = job.source("numbers", data);
  const Witness& sink = job.sink("sink");

  const SourceReport report = job.run();

  expect_cancelled(report);
  EXPECT_FALSE(report.started);
  EXPECT_EQ(source.preflights + sink.preflights, 0);
}

TEST(Stop, InPreflightStartsNothing) {
  JobFixture job;
  const Witness& source = job.source("numbers", data);
  Script script;
  script.preflight = stopping(job, at_preflight(Step::Act::hangs).preflight);
  const Witness& sink = job.sink("sink", script);

  const SourceReport report = job.run();

  expect_cancelled(report);
  EXPECT_FALSE(report.started);
  EXPECT_EQ(source.transfers + sink.transfers + sink.aborts, 0);
}

TEST(Stop, InPreflightAloneIsNoRefusal) {
  JobFixture job;
  job.options.preflight_only = true;
  job.source("numbers", data);
  Script script;
  script.preflight = stopping(job, at_preflight(Step::Act::hangs).preflight);
  job.sink("sink", script);
  expect_cancelled(job.run());
}

class StopInTransfer : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Flavours, StopInTransfer, ::testing::Bool(), [](const auto& flavour) {
  return flavour.param ? "Threads" : "Coroutines";
});

TEST_P(StopInTransfer, AbortsEverySinkAndCommitsNone) {
  for (const std::string_view stopper : {"source", "filter", "sink"}) {
    JobFixture job;
    const auto script = [&](std::string_view name) {
      Script part;
      part.blocking = GetParam();
      if (name == stopper) part.transfer = stopping(job, hangs_after(3 * chunk).transfer);
      return part;
    };
    job.source("numbers", data, script("source"));
    job.filter("filter", script("filter"));
    const Witness& sink = job.sink("sink", script("sink"));
    const Witness& other = job.behind("numbers").sink("other", script("other"));

    expect_cancelled(job.run());
    EXPECT_EQ(sink.commits + other.commits, 0);
    EXPECT_EQ(sink.aborts, 1);
    EXPECT_EQ(other.aborts, 1);
  }
}

TEST(Stop, IsNotExplainedByWhatAStageSaysAboutBeingStopped) {
  class KilledChild final : public Source {
   public:
    explicit KilledChild(JobFixture& job) : job_{job} {}
    asio::awaitable<void> produce(Outlet&, StageContext&) override {
      job_.stop.request_stop();
      bool killed = false;
      try {
        co_await job_.gate.wait();
      } catch (const std::exception&) {
        killed = true;
      }
      if (killed) throw Error{Errc::source, "was killed by signal 15"};
    }

   private:
    JobFixture& job_;
  };
  JobFixture job;
  job.source("dump", std::make_unique<KilledChild>(job));
  job.sink("sink");

  const SourceReport report = job.run();

  expect_cancelled(report);
  ASSERT_EQ(report.secondary.size(), 1U);
  EXPECT_STREQ(report.secondary[0].what(), "dump: was killed by signal 15");
}

TEST(Stop, AfterTheLastByteStillAborts) {
  JobFixture job;
  job.source("numbers", data);
  Script script;
  script.transfer = stopping(job, {.act = Step::Act::nothing, .at = 0, .error = {}, .reached = {}});
  script.transfer.act = Step::Act::hangs;
  script.transfer.at = data.size();
  job.gate.open();  // so that it only asks and goes on
  const Witness& sink = job.sink("sink", script);
  (void)job.run();
  EXPECT_EQ(sink.commits, 0);
  EXPECT_EQ(sink.aborts, 1);
}

TEST(Stop, DuringCommitsLetsThemFinish) {
  JobFixture job;
  job.gate.open();
  job.source("numbers", data);
  Script script;
  script.commit = stopping(job, at_commit(Step::Act::hangs).commit);
  const Witness& sink = job.sink("sink", script);
  const Witness& other = job.sink("other");

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::stored);
  EXPECT_EQ(sink.visible, data);
  EXPECT_EQ(other.visible, data);
}

TEST(Stop, DuringACommitThatHangsEndsItSoon) {
  JobFixture job;
  job.options.hurried_abort = std::chrono::milliseconds{20};
  job.source("numbers", data);
  Script script;
  script.commit = stopping(job, at_commit(Step::Act::hangs).commit);
  job.sink("sink", script);
  const Witness& other = job.sink("other");

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::cancelled);
  EXPECT_STREQ(report.cause->what(), "sink: was not done when the time after a stop was over");
  EXPECT_THAT(report.left_behind, ElementsAre("'sink' did not say whether it committed"));
  EXPECT_EQ(other.visible, data);
}

TEST(Stop, DuringAnAbortThatHangsEndsItSoon) {
  JobFixture job;
  job.options.abort_deadline = std::chrono::minutes{10};
  job.options.hurried_abort = std::chrono::milliseconds{20};
  job.source("numbers", data);
  Script script = at_abort(Step::Act::hangs, chunk);
  script.abort = stopping(job, script.abort);
  job.sink("sink", script);

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::cancelled);
  EXPECT_STREQ(report.cause->what(), "sink: scripted failure");
  EXPECT_THAT(report.left_behind,
              ElementsAre("'sink': was not done when the time after a stop was over"));
}

TEST(Stop, GivesAnAbortOnlyTheHurriedTime) {
  JobFixture job;
  job.options.abort_deadline = std::chrono::minutes{10};
  job.options.hurried_abort = std::chrono::milliseconds{20};
  job.source("numbers", data, hangs_after(chunk));
  Script script = at_abort(Step::Act::hangs);
  script.transfer = stopping(job, hangs_after(chunk).transfer);
  job.sink("sink", script);

  const SourceReport report = job.run();

  EXPECT_FALSE(report.cause);
  EXPECT_THAT(report.left_behind, ElementsAre("'sink': took longer than 0.02 s"));
}

TEST(Stop, HurriesAStageThatHadBeenAskedToEndBefore) {
  JobFixture job;
  job.options.abort_deadline = std::chrono::minutes{10};
  job.options.hurried_grace = std::chrono::milliseconds{20};
  // "deaf" is told to end because the other end of its stream failed; it has ten minutes for that.
  Script deaf = test::ignores_stop_after(chunk);
  job.source("deaf", data, deaf);
  Script failing = fails_after(chunk);
  failing.transfer.reached = [&job] {
    asio::post(job.io, [&job] { asio::post(job.io, [&job] { job.stop.request_stop(); }); });
  };
  job.sink("sink", failing);

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::cancelled);
  EXPECT_STREQ(report.cause->what(), "sink: scripted failure");
  EXPECT_THAT(report.left_behind,
              ElementsAre("'deaf' did not stop: what it holds may be left behind"));
}

TEST(Stop, FromAnotherThreadAtAnyMomentEndsTheRunCleanly) {
  for (int round = 0; round < 100; ++round) {
    JobFixture job;
    job.source("numbers", data, round % 2 == 0 ? blocking({}) : Script{});
    job.filter("filter", round % 3 == 0 ? blocking({}) : Script{});
    const Witness& sink = job.sink("sink", round % 5 == 0 ? blocking({}) : Script{});
    std::jthread signal{[&job, round] {
      for (int i = 0; i < round * 10; ++i) std::this_thread::yield();
      job.stop.request_stop();
    }};

    const SourceReport report = job.run();

    EXPECT_THAT(report.left_behind, IsEmpty());
    if (report.outcome == Outcome::stored) {
      EXPECT_EQ(sink.visible, data);
    } else {
      EXPECT_EQ(report.outcome, Outcome::cancelled);
      EXPECT_EQ(sink.commits, 0);
      EXPECT_EQ(sink.aborts, report.started ? 1 : 0);
    }
  }
}

asio::awaitable<void> run_into(std::optional<SourceReport>& told, Graph graph, MemoryPlan plan,
                               RunOptions options) {
  told = co_await run(std::move(graph), std::move(plan), std::move(options));
}

TEST(Run, DoesNotLeaveItsStagesWhenTheCallerIsCancelled) {
  asio::io_context io;
  test::Gate gate;
  const auto witness = std::make_shared<Witness>();
  GraphBuilder builder;
  const auto from = builder.add(
      "source", std::make_unique<test::ScriptedSource>(data, hangs_after(chunk), gate, witness));
  const auto stored = std::make_shared<Witness>();
  builder.connect(
      from, builder.add("sink", std::make_unique<test::ScriptedSink>(Script{}, gate, stored)));
  Graph graph = std::move(builder).build();
  MemoryPlan plan = plan_memory(graph, chunk, 1 << 20);
  std::optional<SourceReport> told;
  asio::cancellation_signal signal;
  asio::co_spawn(io, run_into(told, std::move(graph), std::move(plan), {}),
                 asio::bind_cancellation_slot(signal.slot(), asio::detached));
  io.poll();

  signal.emit(asio::cancellation_type::terminal);
  io.poll();
  EXPECT_FALSE(told);
  gate.open();
  io.run();

  ASSERT_TRUE(told);
  EXPECT_EQ(told->outcome, Outcome::stored);
  EXPECT_EQ(stored->visible, data);
}

}  // namespace
}  // namespace bp
