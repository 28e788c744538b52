#include "engine/tee.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/job_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp {
namespace {

using test::chunk;
using test::fails_after;
using test::JobFixture;
using test::pattern;
using test::run_on;
using test::Witness;
using ::testing::ElementsAre;
using ::testing::StartsWith;

/// Short enough for a test that waits for it, long enough for a loaded machine.
constexpr std::chrono::milliseconds max_stall{150};

class TeeTest : public ::testing::Test {
 protected:
  void feed(std::size_t chunks) {
    for (std::size_t i = 0; i < chunks; ++i) {
      Buffer buffer = pool.acquire();
      buffer.append(pattern(chunk, i));
      in.push_blocking(std::move(buffer).freeze());
    }
    in.finish();
  }
  static std::size_t count(Channel& leg) {
    leg.finish();
    std::size_t chunks = 0;
    while (leg.pop_blocking()) ++chunks;
    return chunks;
  }
  void run_tee_over(std::vector<TeeLeg> legs) {
    std::function<void(std::size_t)> report = [this](std::size_t leg) { stalled.push_back(leg); };
    run_on(io, run_tee(in, std::move(legs), std::move(report)));
  }

  asio::io_context io;
  BufferPool pool{chunk, 64};
  Channel in{io.get_executor(), 8};
  Channel a{io.get_executor(), 8}, b{io.get_executor(), 8}, narrow{io.get_executor(), 1};
  std::vector<std::size_t> stalled;
  const Error dead{Errc::peer_failed, "dead"};
};

TEST_F(TeeTest, SharesEveryChunkInsteadOfCopyingIt) {
  feed(3);
  run_tee_over({{&a, {}}, {&b, {}}});
  EXPECT_EQ(pool.in_use(), 3U);
  EXPECT_EQ(count(a), 3U);
  EXPECT_EQ(count(b), 3U);
}

TEST_F(TeeTest, GoesOnWithoutADeadLeg) {
  feed(3);
  a.fail(dead);
  run_tee_over({{&a, {}}, {&b, {}}});
  EXPECT_EQ(count(b), 3U);
}

TEST_F(TeeTest, FailsWhenAllLegsAreDead) {
  feed(1);
  a.fail(dead);
  b.fail(dead);
  EXPECT_THROW(run_tee_over({{&a, {}}, {&b, {}}}), Error);
}

TEST_F(TeeTest, ReportsAStalledLegOnceAndServesTheOther) {
  feed(3);
  run_tee_over({{&narrow, std::chrono::milliseconds{5}}, {&b, {}}});
  EXPECT_THAT(stalled, ElementsAre(0));
  EXPECT_EQ(count(b), 3U);
}

TEST_F(TeeTest, CallsALegStalledOnlyWhenItIsFull) {
  feed(3);
  run_tee_over({{&a, std::chrono::milliseconds{0}}, {&b, std::chrono::milliseconds{0}}});
  EXPECT_TRUE(stalled.empty());
  EXPECT_EQ(count(a), 3U);
}

// What becomes of a leg in a run:

TEST(Tee, CutsADeadLegAndLetsTheOthersFinish) {
  JobFixture job;
  job.source("numbers", pattern(3 * chunk));
  const Witness& good = job.sink("good");
  const Witness& bad = job.sink("bad", fails_after(chunk + 1));

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::partly_stored);
  EXPECT_THAT(report.cause->what(), StartsWith("bad: "));
  EXPECT_EQ(good.commits, 1);
  EXPECT_EQ(good.visible, pattern(3 * chunk));
  EXPECT_EQ(bad.aborts, 1);
  EXPECT_EQ(bad.commits, 0);
}

TEST(Tee, GoesAtTheSlowestLegsPaceWithoutALimit) {
  JobFixture job;
  job.source("numbers", pattern(50 * chunk));
  job.edge = {.slots = 1};
  const Witness& good = job.sink("good");
  test::Script waits = test::hangs_after(chunk);
  // Opened from the loop, when everything else has come to a stand.
  waits.transfer.reached = [&job] {
    asio::post(job.io, [&job] { asio::post(job.io, [&job] { job.gate.open(); }); });
  };
  const Witness& slow = job.sink("slow", waits);

  const SourceReport report = job.run();

  EXPECT_EQ(report.outcome, Outcome::stored);
  EXPECT_EQ(good.visible, pattern(50 * chunk));
  EXPECT_EQ(slow.visible, pattern(50 * chunk));
}

TEST(Tee, FailsALegThatKeepsTheOthersWaiting) {
  JobFixture job;
  job.source("numbers", pattern(50 * chunk));
  const Witness& good = job.sink("good");
  job.edge = {.slots = 1, .max_stall = max_stall};
  const Witness& stuck = job.sink("stuck", test::hangs_after(chunk));

  const SourceReport report = job.run();

  EXPECT_STREQ(report.cause->what(),
               "stuck: kept the other destinations waiting for more than 0.15 s");
  EXPECT_EQ(report.cause->code(), Errc::timeout);
  EXPECT_TRUE(report.secondary.empty());
  EXPECT_EQ(good.commits, 1);
  EXPECT_EQ(good.visible, pattern(50 * chunk));
  EXPECT_EQ(stuck.commits, 0);
  EXPECT_EQ(stuck.aborts, 1);
}

TEST(Tee, BlamesTheDestinationAndNotTheFilterBeforeIt) {
  JobFixture job;
  job.source("numbers", pattern(50 * chunk));
  const Witness& good = job.sink("good");
  job.edge = {.slots = 1, .max_stall = max_stall};
  job.filter("filter");
  job.edge = {.slots = 1};
  const Witness& stuck = job.sink("stuck", test::hangs_after(chunk));

  const SourceReport report = job.run();

  EXPECT_THAT(report.cause->what(), StartsWith("stuck: kept the other"));
  EXPECT_EQ(good.commits, 1);
  EXPECT_EQ(stuck.aborts, 1);
}

TEST(Tee, CutsTheWholeLegWhenOneOfItsDestinationsStalls) {
  JobFixture job;
  job.source("numbers", pattern(50 * chunk));
  const Witness& good = job.sink("good");
  job.edge = {.slots = 1, .max_stall = max_stall};
  job.filter("filter");
  job.edge = {.slots = 1};
  const Witness& stuck = job.sink("stuck", test::hangs_after(chunk));
  const Witness& innocent = job.sink("innocent");

  const SourceReport report = job.run();

  EXPECT_THAT(report.cause->what(), StartsWith("stuck: kept the other"));
  EXPECT_EQ(good.visible, pattern(50 * chunk));
  EXPECT_EQ(stuck.aborts, 1);
  EXPECT_EQ(innocent.aborts, 1);
  EXPECT_EQ(innocent.commits, 0);
}

}  // namespace
}  // namespace bp
