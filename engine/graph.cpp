#include "engine/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace bp {

namespace {

std::size_t index(GraphBuilder::Node node) {
  return static_cast<std::size_t>(node);
}

Error wrong(std::string message, std::string hint = {}) {
  return Error{Errc::config, std::move(message), std::move(hint)};
}

/// As the inside of a quoted string of Graphviz.
std::string dot_text(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') safe += '\\';
    safe += letter;
  }
  return safe;
}

}  // namespace

Stage* Graph::Node::stage() const noexcept {
  if (source) return source.get();
  if (filter) return filter.get();
  return sink.get();
}

Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;

std::vector<std::size_t> Graph::path_to(std::size_t node) const {
  std::vector<std::size_t> path{node};
  while (nodes_[path.back()].in) path.push_back(edges_[*nodes_[path.back()].in].from);
  return path;
}

GraphBuilder::Node GraphBuilder::add_node(Graph::Node node) {
  graph_.nodes_.push_back(std::move(node));
  return static_cast<Node>(graph_.nodes_.size() - 1);
}

GraphBuilder::Node GraphBuilder::add(std::string name, std::unique_ptr<Source> source) {
  Graph::Node node;
  node.name = std::move(name);
  node.kind = Graph::Kind::source;
  node.source = std::move(source);
  return add_node(std::move(node));
}

GraphBuilder::Node GraphBuilder::add(std::string name, std::unique_ptr<Filter> filter) {
  Graph::Node node;
  node.name = std::move(name);
  node.kind = Graph::Kind::filter;
  node.filter = std::move(filter);
  return add_node(std::move(node));
}

GraphBuilder::Node GraphBuilder::add(std::string name, std::unique_ptr<Sink> sink, bool required) {
  Graph::Node node;
  node.name = std::move(name);
  node.kind = Graph::Kind::sink;
  node.sink = std::move(sink);
  node.required = required;
  return add_node(std::move(node));
}

void GraphBuilder::connect(Node from, Node to, EdgeOptions options) {
  Graph::Node& head = graph_.nodes_.at(index(from));
  Graph::Node& tail = graph_.nodes_.at(index(to));
  if (head.kind == Graph::Kind::sink) {
    throw wrong(
        fmt::format("'{}' is a destination and has no output for '{}'", head.name, tail.name));
  }
  if (tail.kind == Graph::Kind::source) {
    throw wrong(fmt::format("'{}' is a source and takes no input from '{}'", tail.name, head.name));
  }
  if (tail.in) {
    throw wrong(fmt::format("'{}' has two inputs, '{}' and '{}'", tail.name,
                            graph_.nodes_[graph_.edges_[*tail.in].from].name, head.name),
                "Streams that parted cannot meet again.");
  }
  if (options.slots == 0) {
    throw wrong(fmt::format("the edge from '{}' to '{}' has no slots", head.name, tail.name));
  }
  graph_.edges_.push_back({.from = index(from), .to = index(to), .options = options});
  head.out.push_back(graph_.edges_.size() - 1);
  tail.in = graph_.edges_.size() - 1;
}

Graph GraphBuilder::build() && {
  if (graph_.nodes_.empty()) throw wrong("the graph has no stages");
  check_names();
  check_edges();
  check_no_cycle();
  insert_tees();
  return std::move(graph_);
}

void GraphBuilder::check_names() const {
  std::set<std::string_view> names;
  for (const Graph::Node& node : graph_.nodes_) {
    if (!names.insert(node.name).second) {
      throw wrong(fmt::format("two stages are called '{}'", node.name));
    }
  }
}

void GraphBuilder::check_edges() const {
  for (const Graph::Node& node : graph_.nodes_) {
    if (node.kind != Graph::Kind::source && !node.in) {
      throw wrong(fmt::format("'{}' has no input", node.name));
    }
    if (node.kind != Graph::Kind::sink && node.out.empty()) {
      throw wrong(fmt::format("the output of '{}' goes nowhere", node.name));
    }
  }
}

void GraphBuilder::check_no_cycle() const {
  // Every stage but a source has exactly one input, so following inputs ends at a source or goes
  // round.
  for (std::size_t start = 0; start < graph_.nodes_.size(); ++start) {
    std::size_t node = start;
    for (std::size_t steps = 0; graph_.nodes_[node].in; ++steps) {
      if (steps == graph_.nodes_.size()) {
        // After so many steps we are on the circle, wherever we began.
        throw wrong(fmt::format("'{}' feeds itself", graph_.nodes_[node].name));
      }
      node = graph_.edges_[*graph_.nodes_[node].in].from;
    }
  }
}

void GraphBuilder::insert_tees() {
  const std::size_t given = graph_.nodes_.size();
  for (std::size_t i = 0; i < given; ++i) {
    if (graph_.nodes_[i].out.size() < 2) continue;
    Graph::Node tee;
    tee.name = fmt::format("tee behind {}", graph_.nodes_[i].name);
    tee.kind = Graph::Kind::tee;
    tee.out = std::exchange(graph_.nodes_[i].out, {});
    const std::size_t tee_index = graph_.nodes_.size();
    for (const std::size_t leg : tee.out) graph_.edges_[leg].from = tee_index;
    // The legs have the queues; the edge in front of the tee only hands over.
    graph_.edges_.push_back({.from = i, .to = tee_index, .options = {.slots = 2}});
    tee.in = graph_.edges_.size() - 1;
    graph_.nodes_[i].out = {*tee.in};
    graph_.nodes_.push_back(std::move(tee));
  }
}

std::string to_dot(const Graph& graph) {
  std::string dot =
      "digraph backup {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Graph::Node& node = graph.nodes()[i];
    const std::string_view shape = node.kind == Graph::Kind::tee ? ", shape=point" : "";
    const std::string_view style = node.required ? "" : ", style=dashed";
    dot += fmt::format("  n{} [label=\"{}\"{}{}];\n", i, dot_text(node.name), shape, style);
  }
  for (const Graph::Edge& edge : graph.edges()) {
    dot += fmt::format("  n{} -> n{} [label=\"{}\"];\n", edge.from, edge.to, edge.options.slots);
  }
  return dot + "}\n";
}

}  // namespace bp
