// engine/graph.hpp — stages and edges, checked before anything runs.
//
// Every stage has at most one input, so a valid graph is a forest: that is what keeps bounded edges
// from deadlocking (DESIGN.md). Results that must meet again (checksums) travel as notes, not as
// streams.
#pragma once

#include "engine/stage.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bp {

struct EdgeOptions {
  std::size_t slots = 8;  ///< queue length in chunks
  /// On an edge behind a tee: how long this leg may keep the others waiting before it is failed.
  std::optional<std::chrono::milliseconds> max_stall = std::nullopt;
};

/// A checked graph, to be run once. Made by GraphBuilder; read by plan_memory() and run().
class Graph {
 public:
  enum class Kind : std::uint8_t { source, filter, tee, sink };
  struct Node {
    std::string name;
    Kind kind = Kind::source;
    std::unique_ptr<Source> source;
    std::unique_ptr<Filter> filter;
    std::unique_ptr<Sink> sink;
    bool required = true;
    std::optional<std::size_t> in;  ///< edge
    std::vector<std::size_t> out;   ///< edges; several only on a tee

    [[nodiscard]] Stage* stage() const noexcept;  ///< null for a tee
  };
  struct Edge {
    std::size_t from, to;  ///< nodes
    EdgeOptions options;
  };

  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  ~Graph();

  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] const std::vector<Edge>& edges() const noexcept { return edges_; }
  /// The nodes that feed `node`, itself first, its source last.
  [[nodiscard]] std::vector<std::size_t> path_to(std::size_t node) const;

 private:
  friend class GraphBuilder;
  Graph() = default;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
};

/// Collects stages and edges. Connecting one output twice inserts a tee.
class GraphBuilder {
 public:
  enum class Node : std::uint32_t {};
  Node add(std::string name, std::unique_ptr<Source> source);
  Node add(std::string name, std::unique_ptr<Filter> filter);
  Node add(std::string name, std::unique_ptr<Sink> sink, bool required = true);
  void connect(Node from, Node to, EdgeOptions options = {});
  /// Throws Errc::config naming the stages for: no stage at all, a dangling output, a missing
  /// input, a second input (two paths that part and meet again), a cycle, two stages of one name,
  /// an edge without slots.
  [[nodiscard]] Graph build() &&;

 private:
  Node add_node(Graph::Node node);
  void insert_tees();
  void check_edges() const;
  void check_names() const;
  void check_no_cycle() const;
  Graph graph_;
};

/// Graphviz text of the graph, for `plan --dot`.
[[nodiscard]] std::string to_dot(const Graph& graph);

}  // namespace bp
