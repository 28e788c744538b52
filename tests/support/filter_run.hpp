// tests/support/filter_run.hpp — one filter between a MemorySource and a MemorySink, run by the
// engine.
#pragma once

#include "engine/run.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/memory_stages.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace bp::test {

struct FilterRun {
  SourceReport report;
  MemoryPlan plan;
  Bytes output;  ///< empty unless it was committed
};

constexpr std::size_t unlimited_memory = std::size_t{4} << 30;

/// Runs source → filter → sink. The filter is called "filter" and is granted all that it wants.
inline std::pair<SourceReport, MemoryPlan> run_filter_between(
    std::unique_ptr<Source> source, std::unique_ptr<Filter> filter, std::unique_ptr<Sink> sink,
    std::size_t chunk_bytes, std::size_t memory_limit = unlimited_memory) {
  GraphBuilder builder;
  const auto from = builder.add("source", std::move(source));
  const auto through = builder.add("filter", std::move(filter));
  const auto to = builder.add("sink", std::move(sink));
  builder.connect(from, through);
  builder.connect(through, to);
  Graph graph = std::move(builder).build();
  MemoryPlan plan = plan_memory(graph, chunk_bytes, memory_limit);
  SourceReport report = run(bp::run(std::move(graph), plan, {}));
  return {std::move(report), std::move(plan)};
}

/// What becomes of `input` in `filter`.
inline FilterRun run_filter(std::unique_ptr<Filter> filter, Bytes input,
                            std::size_t chunk_bytes = 256 << 10,
                            std::size_t memory_limit = unlimited_memory) {
  auto stored = std::make_shared<Stored>();
  auto [report, plan] =
      run_filter_between(std::make_unique<MemorySource>(std::move(input)), std::move(filter),
                         std::make_unique<MemorySink>(stored), chunk_bytes, memory_limit);
  return {std::move(report), std::move(plan), std::move(stored->visible)};
}

/// Gives the same block again and again, for ever.
class EndlessSource final : public Source {
 public:
  explicit EndlessSource(Bytes block) : block_{std::move(block)} {}
  asio::awaitable<void> produce(Outlet& out, StageContext&) override {
    for (;;) co_await out.write(block_);
  }

 private:
  Bytes block_;
};

/// Takes a number of chunks and then fails as a full disk would.
class FullSink final : public Sink {
 public:
  explicit FullSink(int chunks) : chunks_{chunks} {}
  asio::awaitable<void> prepare(Inlet& in, StageContext&) override {
    for (; chunks_ > 0; --chunks_) {
      if (const std::optional<Chunk> chunk = co_await in.pop(); !chunk) co_return;
    }
    throw Error{Errc::destination, "no room left"};
  }
  asio::awaitable<Receipt> commit(StageContext&) override { co_return Receipt{}; }
  asio::awaitable<void> abort(StageContext&) override { co_return; }

 private:
  int chunks_;
};

}  // namespace bp::test
