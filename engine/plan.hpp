// engine/plan.hpp — how much memory a graph will hold, known and printed before it runs.
#pragma once

#include "engine/graph.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace bp {

struct MemoryPlan {
  /// One line of the table: a stage with its demand, or an edge with its queue.
  struct Row {
    std::string name;
    std::size_t chunks;
    std::size_t library_bytes;
  };

  std::size_t chunk_bytes = 0;
  std::size_t chunks = 0;           ///< edges' slots + stages' grants
  std::size_t library_bytes = 0;    ///< not ours, but the user's memory all the same
  std::vector<std::size_t> grants;  ///< chunks per node of the graph
  std::vector<Row> rows;

  [[nodiscard]] std::size_t total_bytes() const noexcept;
  /// The rows and their sum as a table for people.
  [[nodiscard]] std::string table() const;
};

/// Gives every stage its minimum and shares what is left among the elastic ones, evenly.
/// Throws Errc::config with the table when the minima exceed `memory_limit` bytes.
[[nodiscard]] MemoryPlan plan_memory(const Graph& graph, std::size_t chunk_bytes,
                                     std::size_t memory_limit);

}  // namespace bp
