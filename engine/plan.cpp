#include "engine/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bp {

namespace {

/// A tee is a coroutine of the engine; it holds the chunk that it is handing out.
constexpr MemoryDemand tee_demand{.min_chunks = 1, .wanted_chunks = 1, .library_bytes = 0};

MemoryDemand demand_of(const Graph::Node& node, std::size_t chunk_bytes) {
  const Stage* stage = node.stage();
  if (stage == nullptr) return tee_demand;
  MemoryDemand demand = stage->memory_demand(chunk_bytes);
  demand.wanted_chunks = std::max(demand.wanted_chunks, demand.min_chunks);
  return demand;
}

/// Hands out `spare` chunks in turns, so that two elastic stages grow alike.
void share(std::size_t spare, const std::vector<MemoryDemand>& demands,
           std::vector<std::size_t>& grants) {
  for (bool anyone = true; anyone && spare > 0;) {
    anyone = false;
    for (std::size_t i = 0; i < grants.size() && spare > 0; ++i) {
      if (grants[i] >= demands[i].wanted_chunks) continue;
      ++grants[i];
      --spare;
      anyone = true;
    }
  }
}

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace

std::size_t MemoryPlan::total_bytes() const noexcept {
  return chunks * chunk_bytes + library_bytes;
}

std::string MemoryPlan::table() const {
  std::string text = fmt::format("{:<40} {:>7} {:>10} {:>10}\n", "", "chunks", "pool", "library");
  const auto line = [&](std::string_view name, std::size_t row_chunks, std::size_t library) {
    text += fmt::format("{:<40} {:>7} {:>6.1f} MiB {:>6.1f} MiB\n", name, row_chunks,
                        mebibytes(row_chunks * chunk_bytes), mebibytes(library));
  };
  for (const Row& row : rows) line(row.name, row.chunks, row.library_bytes);
  line("total", chunks, library_bytes);
  return text;
}

MemoryPlan plan_memory(const Graph& graph, std::size_t chunk_bytes, std::size_t memory_limit) {
  MemoryPlan plan;
  plan.chunk_bytes = chunk_bytes;

  std::vector<MemoryDemand> demands;
  for (const Graph::Node& node : graph.nodes()) {
    demands.push_back(demand_of(node, chunk_bytes));
    plan.grants.push_back(demands.back().min_chunks);
    plan.chunks += demands.back().min_chunks;
    plan.library_bytes += demands.back().library_bytes;
  }
  for (const Graph::Edge& edge : graph.edges()) plan.chunks += edge.options.slots;

  const std::size_t minimum = plan.total_bytes();
  if (minimum <= memory_limit) {
    share((memory_limit - minimum) / chunk_bytes, demands, plan.grants);
    plan.chunks = 0;
    for (const std::size_t granted : plan.grants) plan.chunks += granted;
    for (const Graph::Edge& edge : graph.edges()) plan.chunks += edge.options.slots;
  }

  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    plan.rows.push_back({graph.nodes()[i].name, plan.grants[i], demands[i].library_bytes});
  }
  for (const Graph::Edge& edge : graph.edges()) {
    plan.rows.push_back(
        {fmt::format("{} → {}", graph.nodes()[edge.from].name, graph.nodes()[edge.to].name),
         edge.options.slots, 0});
  }
  if (minimum > memory_limit) {
    throw Error{
        Errc::config,
        fmt::format("the job needs at least {:.1f} MiB of memory, {:.1f} MiB are allowed:\n{}",
                    mebibytes(minimum), mebibytes(memory_limit), plan.table()),
        "Raise [job] memory, or use fewer or lighter stages."};
  }
  return plan;
}

}  // namespace bp
