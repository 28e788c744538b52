#include "engine/graph.hpp"

#include "tests/support/job_fixture.hpp"

#include <gtest/gtest.h>

namespace bp {
namespace {

using test::Script;
using test::Witness;
using Kind = Graph::Kind;

class GraphTest : public ::testing::Test {
 protected:
  GraphBuilder::Node source(std::string name) {
    return builder.add(std::move(name), std::make_unique<test::MemorySource>(test::Bytes{}));
  }
  GraphBuilder::Node filter(std::string name) {
    return builder.add(std::move(name), std::make_unique<test::ScriptedFilter>(
                                            Script{}, gate, std::make_shared<Witness>()));
  }
  GraphBuilder::Node sink(std::string name, bool required = true) {
    auto stage = std::make_unique<test::MemorySink>(std::make_shared<test::Stored>());
    return builder.add(std::move(name), std::move(stage), required);
  }
  /// What build() complains about.
  std::string refusal() {
    try {
      const Graph graph = std::move(builder).build();
      return "nothing";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::config);
      return error.what();
    }
  }
  std::string refused_edge(GraphBuilder::Node from, GraphBuilder::Node to,
                           EdgeOptions options = {}) {
    try {
      builder.connect(from, to, options);
      return "nothing";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::config);
      return error.what();
    }
  }

  test::Gate gate;
  GraphBuilder builder;
};

TEST_F(GraphTest, RefusesAGraphWithoutStages) {
  EXPECT_EQ(refusal(), "the graph has no stages");
}

TEST_F(GraphTest, NamesTheStageWhoseOutputGoesNowhere) {
  const auto from = source("dump");
  builder.connect(from, filter("gzip"));
  EXPECT_EQ(refusal(), "the output of 'gzip' goes nowhere");
}

TEST_F(GraphTest, NamesTheStageWithoutInput) {
  builder.connect(source("dump"), sink("s3"));
  sink("lonely");
  EXPECT_EQ(refusal(), "'lonely' has no input");
}

TEST_F(GraphTest, NamesTheNameThatTwoStagesShare) {
  builder.connect(source("same"), sink("same"));
  EXPECT_EQ(refusal(), "two stages are called 'same'");
}

TEST_F(GraphTest, RefusesASecondInputAndNamesBoth) {
  const auto to = sink("s3");
  builder.connect(source("first"), to);
  EXPECT_EQ(refused_edge(source("second"), to), "'s3' has two inputs, 'first' and 'second'");
}

TEST_F(GraphTest, RefusesAnOutputOfADestination) {
  const auto from = sink("s3");
  EXPECT_EQ(refused_edge(from, filter("gzip")),
            "'s3' is a destination and has no output for 'gzip'");
}

TEST_F(GraphTest, RefusesAnInputOfASource) {
  const auto from = filter("gzip");
  EXPECT_EQ(refused_edge(from, source("dump")),
            "'dump' is a source and takes no input from 'gzip'");
}

TEST_F(GraphTest, RefusesAnEdgeWithoutSlots) {
  const auto from = source("dump");
  EXPECT_EQ(refused_edge(from, sink("s3"), {.slots = 0}),
            "the edge from 'dump' to 's3' has no slots");
}

TEST_F(GraphTest, RefusesAFilterThatFeedsItself) {
  const auto loop = filter("loop");
  builder.connect(loop, loop);
  EXPECT_EQ(refusal(), "'loop' feeds itself");
}

TEST_F(GraphTest, NamesAStageOfTheCircleAndNotOneBehindIt) {
  const auto behind =
      sink("behind");  // comes first, so that the search begins outside of the circle
  const auto first = filter("first");
  const auto second = filter("second");
  builder.connect(first, second);
  builder.connect(second, first);
  builder.connect(second, behind);
  const std::string complaint = refusal();
  EXPECT_TRUE(complaint == "'first' feeds itself" || complaint == "'second' feeds itself")
      << complaint;
}

TEST_F(GraphTest, AcceptsSeveralChainsSideBySide) {
  builder.connect(source("a"), sink("a out"));
  builder.connect(source("b"), sink("b out"));
  EXPECT_EQ(refusal(), "nothing");
}

TEST_F(GraphTest, InsertsATeeWhereAnOutputIsConnectedTwice) {
  const auto from = source("dump");
  builder.connect(from, sink("s3"), {.slots = 3});
  builder.connect(from, sink("smb"), {.slots = 5, .max_stall = std::chrono::seconds{30}});

  const Graph graph = std::move(builder).build();

  ASSERT_EQ(graph.nodes().size(), 4U);
  const Graph::Node& tee = graph.nodes()[3];
  EXPECT_EQ(tee.kind, Kind::tee);
  EXPECT_EQ(tee.name, "tee behind dump");
  EXPECT_EQ(tee.stage(), nullptr);
  ASSERT_EQ(graph.nodes()[0].out.size(), 1U);
  EXPECT_EQ(graph.edges()[graph.nodes()[0].out[0]].to, 3U);
  ASSERT_EQ(tee.out.size(), 2U);
  EXPECT_EQ(graph.edges()[tee.out[0]].options.slots, 3U);
  EXPECT_EQ(graph.edges()[tee.out[1]].options.max_stall, std::chrono::seconds{30});
  EXPECT_EQ(graph.edges()[tee.out[1]].from, 3U);
  EXPECT_EQ(graph.path_to(2), (std::vector<std::size_t>{2, 3, 0}));
}

TEST_F(GraphTest, InsertsNoTeeIntoAChain) {
  const auto from = source("dump");
  const auto through = filter("gzip");
  builder.connect(from, through);
  builder.connect(through, sink("s3"));

  const Graph graph = std::move(builder).build();

  EXPECT_EQ(graph.nodes().size(), 3U);
  EXPECT_EQ(graph.path_to(2), (std::vector<std::size_t>{2, 1, 0}));
}

TEST_F(GraphTest, DrawsItselfForGraphviz) {
  const auto from = source("the \"dump\"");
  builder.connect(from, sink("s3"), {.slots = 3});
  builder.connect(from, sink("smb", /*required=*/false), {.slots = 5});

  const std::string dot = to_dot(std::move(builder).build());

  EXPECT_EQ(dot, R"(digraph backup {
  rankdir=LR;
  node [shape=box, fontname="sans-serif"];
  n0 [label="the \"dump\""];
  n1 [label="s3"];
  n2 [label="smb", style=dashed];
  n3 [label="tee behind the \"dump\"", shape=point];
  n3 -> n1 [label="3"];
  n3 -> n2 [label="5"];
  n0 -> n3 [label="2"];
}
)");
}

}  // namespace
}  // namespace bp
