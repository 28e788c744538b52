// Promise 25: random graphs of random stages that fail, hang and stop at random all come to an end,
// and what was committed is right. Run under ThreadSanitizer and AddressSanitizer, too.
#include "tests/support/job_fixture.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace bp {
namespace {

using test::Bytes;
using test::JobFixture;
using test::pattern;
using test::Script;
using test::Step;
using test::Witness;

class RandomJob {
 public:
  explicit RandomJob(unsigned seed) : random_{seed} {
    job.chunk_bytes = 1 + below(200);
    data = pattern(below(40) * job.chunk_bytes + below(job.chunk_bytes), seed);
    build(1 + below(8));
  }

  JobFixture job;
  Bytes data;
  std::vector<std::pair<std::string, const Witness*>> sinks;
  bool truncated = false;  ///< the source was told to leave early, which nobody can know

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  /// `size` stages besides the destinations that dead ends need.
  void build(std::size_t size) {
    struct Feeder {
      std::string name;
      std::size_t fans_out = 0;
    };
    job.source("stage 0", data, script(/*is_source=*/true));
    std::vector<Feeder> feeders{{"stage 0"}};
    for (std::size_t i = 1; i < size; ++i) {
      Feeder& feeder = feeders[below(feeders.size())];
      if (feeder.fans_out == 4) continue;
      ++feeder.fans_out;
      const std::string name = "stage " + std::to_string(i);
      next_edge(feeder.name);
      if (below(3) == 0) {
        sinks.emplace_back(name, &job.sink(name, script(), below(2) == 0));
      } else {
        job.filter(name, script());
        feeders.push_back({name});
      }
    }
    for (const Feeder& feeder : feeders) {
      if (feeder.fans_out != 0) continue;
      const std::string name = "end of " + feeder.name;
      next_edge(feeder.name);
      sinks.emplace_back(name, &job.sink(name, script(), below(2) == 0));
    }
    job.options.all_or_nothing = below(4) == 0;
    job.options.min_success = below(3);
  }

  void next_edge(const std::string& feeder) {
    job.behind(feeder);
    job.edge = {.slots = 1 + below(below(2) == 0 ? 64 : 3)};
    if (below(3) == 0) job.edge.max_stall = std::chrono::milliseconds{1 + below(5)};
  }

  Script script(bool is_source = false) {
    Script script;
    script.blocking = below(2) == 0;
    const std::size_t at = below(data.size() + 1);
    switch (below(16)) {
      case 0:
      case 1:
        script.transfer = test::fails_after(at).transfer;
        break;
      case 2:
        script.transfer = test::returns_after(at).transfer;
        if (is_source) truncated = true;
        break;
      case 3:
        script.transfer = test::hangs_after(at).transfer;
        // A hang for ever is the business of a stage's own deadline; here somebody stops the run.
        if (below(2) == 0) script.transfer.reached = [this] { job.stop.request_stop(); };
        hangs_ = true;
        break;
      case 4:
        script.preflight = test::at_preflight(Step::Act::fails).preflight;
        break;
      case 5:
        script.commit = test::at_commit(Step::Act::fails).commit;
        break;
      case 6:
        script.abort = test::at_abort(Step::Act::fails).abort;
        break;
      default:
        break;
    }
    // Whoever hangs without a stop is let go by the live view, as a slow peer that comes back.
    if (hangs_ && !job.options.observe) {
      job.options.observe_every = std::chrono::milliseconds{10};
      job.options.observe = [this](const Progress&) { job.gate.open(); };
    }
    return script;
  }

  std::mt19937 random_;
  bool hangs_ = false;
};

void expect_sound(const RandomJob& random, const SourceReport& report) {
  std::size_t committed = 0;
  for (const auto& [name, sink] : random.sinks) {
    SCOPED_TRACE(name);
    const SinkReport& told = test::sink_report(report, name);
    EXPECT_LE(sink->commits + sink->aborts, 1);
    EXPECT_EQ(sink->commits + sink->aborts, sink->transfers);
    EXPECT_NE(told.receipt.has_value(), told.failure.has_value());
    if (!told.receipt) continue;
    ++committed;
    EXPECT_EQ(sink->commits, 1);
    if (random.truncated) {
      EXPECT_LE(sink->visible.size(), random.data.size());
    } else {
      EXPECT_EQ(sink->visible, random.data);
    }
  }
  EXPECT_EQ(report.committed(), committed);
  if (committed == 0) {
    EXPECT_TRUE(report.outcome == Outcome::failed || report.outcome == Outcome::cancelled);
  }
  if (report.outcome == Outcome::stored) {
    EXPECT_EQ(committed, random.sinks.size());
  }
  if (report.outcome == Outcome::failed) {
    EXPECT_TRUE(report.cause);
  }
}

TEST(RandomGraphs, AllEndAndCommitOnlyWhatIsRight) {
  int stored = 0, partly = 0, failed = 0, cancelled = 0;
  for (unsigned seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomJob random{seed};

    const SourceReport report = random.job.run();

    expect_sound(random, report);
    if (report.outcome == Outcome::failed) ++failed;
    if (report.outcome == Outcome::cancelled) ++cancelled;
    if (report.outcome == Outcome::partly_stored) ++partly;
    if (report.outcome == Outcome::stored) ++stored;
    if (::testing::Test::HasFailure()) break;
  }
  // The dice must reach all of it, or this test says less than its name.
  for (const int count : {stored, partly, failed, cancelled}) EXPECT_GT(count, 5);
}

}  // namespace
}  // namespace bp
