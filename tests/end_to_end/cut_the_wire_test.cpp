// Every stage of every small graph fails at every interesting place, in every way: what must then
// be true of each destination is always the same. Children that die are cut elsewhere, in the tests
// of the stages that own them.
#include "tests/support/job_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace bp {
namespace {

using test::Bytes;
using test::chunk;
using test::JobFixture;
using test::pattern;
using test::Script;
using test::Step;
using test::Witness;
using ::testing::IsEmpty;
using Act = Step::Act;

constexpr std::size_t length = 10 * chunk + 7;
constexpr std::array<std::size_t, 8> offsets{0,         1,          chunk - 1,  chunk,
                                             chunk + 1, length / 2, length - 1, length};

/// A stage of a graph in words: its name, who feeds it, and what it is.
struct StagePlan {
  std::string name, fed_by;
  Graph::Kind kind;
};
struct GraphPlan {
  std::string name;
  std::vector<StagePlan> stages;  ///< producers before their consumers

  [[nodiscard]] const StagePlan& find(const std::string& wanted) const {
    for (const StagePlan& stage : stages) {
      if (stage.name == wanted) return stage;
    }
    throw std::logic_error{"no such stage"};
  }
  [[nodiscard]] bool path_holds(const std::string& sink, const std::string& stage) const {
    std::string at = sink;
    while (at != stage && !find(at).fed_by.empty()) at = find(at).fed_by;
    return at == stage;
  }
};

const std::vector<GraphPlan>& graphs() {
  using Kind = Graph::Kind;
  static const std::vector<GraphPlan> all{
      {"Chain",
       {{"source", "", Kind::source},
        {"filter", "source", Kind::filter},
        {"sink", "filter", Kind::sink}}},
      {"TwoFilters",
       {{"source", "", Kind::source},
        {"first", "source", Kind::filter},
        {"second", "first", Kind::filter},
        {"sink", "second", Kind::sink}}},
      {"TwoLegs",
       {{"source", "", Kind::source},
        {"one", "source", Kind::sink},
        {"filter", "source", Kind::filter},
        {"two", "filter", Kind::sink}}},
      {"ThreeLegs",
       {{"source", "", Kind::source},
        {"first", "source", Kind::filter},
        {"one", "first", Kind::sink},
        {"leg", "first", Kind::filter},
        {"two", "leg", Kind::sink},
        {"three", "first", Kind::sink}}},
      {"TeeBehindTee",
       {{"source", "", Kind::source},
        {"one", "source", Kind::sink},
        {"filter", "source", Kind::filter},
        {"two", "filter", Kind::sink},
        {"three", "filter", Kind::sink}}},
  };
  return all;
}

struct Cut {
  const GraphPlan* graph;
  std::string victim;
  Act act;
  std::size_t at;
  bool victim_blocks, others_block;
};

std::string describe(const Cut& cut) {
  constexpr std::array<std::string_view, 5> acts{"nothing", "fails", "returns", "hangs", "is deaf"};
  return fmt::format("{}: '{}' {} after {} bytes{}{}", cut.graph->name, cut.victim,
                     acts.at(static_cast<std::size_t>(cut.act)), cut.at,
                     cut.victim_blocks ? ", on a thread" : "",
                     cut.others_block ? ", others on threads" : "");
}

struct Built {
  std::vector<std::pair<std::string, const Witness*>> sinks;
};

Built build(JobFixture& job, const Cut& cut, Script victim) {
  Built built;
  const Bytes data = pattern(length);
  for (const StagePlan& stage : cut.graph->stages) {
    const bool is_victim = stage.name == cut.victim;
    Script script = is_victim ? victim : Script{};
    script.blocking = is_victim ? cut.victim_blocks : cut.others_block;
    if (!stage.fed_by.empty()) job.behind(stage.fed_by);
    switch (stage.kind) {
      case Graph::Kind::source:
        job.source(stage.name, data, script);
        break;
      case Graph::Kind::filter:
        job.filter(stage.name, script);
        break;
      default:
        built.sinks.emplace_back(stage.name, &job.sink(stage.name, script));
    }
  }
  return built;
}

void expect_committed(const Witness& sink) {
  EXPECT_EQ(sink.commits, 1);
  EXPECT_EQ(sink.aborts, 0);
  EXPECT_EQ(sink.visible, pattern(length));
}

void expect_aborted(const Witness& sink) {
  EXPECT_EQ(sink.commits, 0);
  EXPECT_EQ(sink.aborts, 1);
  EXPECT_THAT(sink.visible, IsEmpty());
}

/// Runs `test` for every graph, stage, offset and flavour.
template <class Test>
void for_every_cut(Act act, Test test) {
  std::size_t cuts = 0;
  for (const GraphPlan& graph : graphs()) {
    for (const StagePlan& stage : graph.stages) {
      for (const std::size_t at : offsets) {
        for (const bool victim_blocks : {false, true}) {
          for (const bool others_block : {false, true}) {
            const Cut cut{&graph, stage.name, act, at, victim_blocks, others_block};
            SCOPED_TRACE(describe(cut));
            test(cut);
            ++cuts;
          }
        }
      }
    }
  }
  EXPECT_EQ(cuts, (3 + 4 + 4 + 6 + 5) * offsets.size() * 2 * 2);
}

TEST(CutTheWire, AStageThatFailsVoidsItsDestinationsAndNoOthers) {
  for_every_cut(Act::fails, [](const Cut& cut) {
    JobFixture job;
    const Built built = build(job, cut, test::fails_after(cut.at));

    const SourceReport report = job.run();

    ASSERT_TRUE(report.cause);
    EXPECT_EQ(report.cause->what(), cut.victim + ": scripted failure");
    EXPECT_THAT(report.secondary, IsEmpty());
    EXPECT_THAT(report.left_behind, IsEmpty());
    for (const auto& [name, sink] : built.sinks) {
      SCOPED_TRACE(name);
      cut.graph->path_holds(name, cut.victim) ? expect_aborted(*sink) : expect_committed(*sink);
    }
  });
}

TEST(CutTheWire, AStageThatLeavesEarlyVoidsItsDestinationsAndNoOthers) {
  for_every_cut(Act::returns, [](const Cut& cut) {
    // A source that returns says that this was all: there is nothing to find out about it here.
    const bool has_input = !cut.graph->find(cut.victim).fed_by.empty();
    if (!has_input) return;
    JobFixture job;
    const Built built = build(job, cut, test::returns_after(cut.at));

    const SourceReport report = job.run();

    ASSERT_TRUE(report.cause);
    EXPECT_EQ(report.cause->what(), cut.victim + ": returned before the end of its input");
    EXPECT_THAT(report.left_behind, IsEmpty());
    for (const auto& [name, sink] : built.sinks) {
      SCOPED_TRACE(name);
      cut.graph->path_holds(name, cut.victim) ? expect_aborted(*sink) : expect_committed(*sink);
    }
  });
}

TEST(CutTheWire, AStageThatHangsIsEndedByAStopAndNothingIsCommitted) {
  for_every_cut(Act::hangs, [](const Cut& cut) {
    JobFixture job;
    Script victim = test::hangs_after(cut.at);
    victim.transfer.reached = [&job] { job.stop.request_stop(); };
    const Built built = build(job, cut, victim);

    const SourceReport report = job.run();

    EXPECT_EQ(report.outcome, Outcome::cancelled);
    EXPECT_FALSE(report.cause) << report.cause->what();
    EXPECT_THAT(report.left_behind, IsEmpty());
    for (const auto& [name, sink] : built.sinks) {
      SCOPED_TRACE(name);
      expect_aborted(*sink);
    }
  });
}

TEST(CutTheWire, AStageThatHangsInALegIsCutWhenItStallsTheOthers) {
  for_every_cut(Act::hangs, [](const Cut& cut) {
    // Only a stage behind a tee, and only with enough to come that the edges before it fill up.
    const bool has_others = std::ranges::any_of(cut.graph->stages, [&cut](const StagePlan& stage) {
      return stage.kind == Graph::Kind::sink && !cut.graph->path_holds(stage.name, cut.victim);
    });
    // Few offsets, since every case has to wait long enough for a loaded machine.
    if (!has_others || (cut.at != 1 && cut.at != chunk) || cut.others_block) return;
    JobFixture job;
    job.edge = {.slots = 1, .max_stall = std::chrono::milliseconds{100}};
    const Built built = build(job, cut, test::hangs_after(cut.at));

    const SourceReport report = job.run();

    ASSERT_TRUE(report.cause);
    EXPECT_THAT(report.cause->what(), ::testing::StartsWith(cut.victim + ": kept the other"));
    EXPECT_THAT(report.left_behind, IsEmpty());
    for (const auto& [name, sink] : built.sinks) {
      SCOPED_TRACE(name);
      if (cut.graph->path_holds(name, cut.victim)) {
        expect_aborted(*sink);
      } else if (sink->commits == 0) {
        // A tee behind a tee: the leg of the one that stalled went as a whole.
        EXPECT_EQ(cut.graph->find(name).fed_by, cut.graph->find(cut.victim).fed_by);
        expect_aborted(*sink);
      } else {
        expect_committed(*sink);
      }
    }
  });
}

TEST(CutTheWire, AStageThatFailsToCommitTakesNothingFromTheOthers) {
  for (const GraphPlan& graph : graphs()) {
    for (const StagePlan& stage : graph.stages) {
      if (stage.kind != Graph::Kind::sink) continue;
      for (const bool blocks : {false, true}) {
        const Cut cut{&graph, stage.name, Act::fails, 0, blocks, false};
        SCOPED_TRACE(describe(cut));
        JobFixture job;
        const Built built = build(job, cut, test::at_commit(Act::fails));

        const SourceReport report = job.run();

        EXPECT_EQ(report.cause->what(), cut.victim + ": scripted failure");
        for (const auto& [name, sink] : built.sinks) {
          SCOPED_TRACE(name);
          if (name != cut.victim) expect_committed(*sink);
          EXPECT_EQ(sink->aborts, 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bp
