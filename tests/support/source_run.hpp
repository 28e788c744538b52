// tests/support/source_run.hpp — one source, made from a job file's table, run into a sink by the
// engine.
#pragma once

#include "config/document.hpp"
#include "config/options.hpp"
#include "engine/run.hpp"
#include "stages/registry.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/memory_stages.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace bp::test {

/// A source's type with its options; `problems` is what was wrong with them.
struct MadeSource {
  stages::SourceType type;
  std::string problems;
};

inline MadeSource make_source(const std::string& type, const std::string& toml) {
  stages::Registry registry;
  stages::register_all(registry);
  const config::Table table = config::parse_toml(toml, "job.toml");
  config::Diagnostics diagnostics;
  config::OptionReader options{table, "source.s", diagnostics, true};
  MadeSource made;
  made.type = (*registry.source(type))(options);
  options.finish();
  for (const auto& problem : diagnostics.all()) made.problems += problem.text() + "\n";
  return made;
}

/// Keeps what it is given, and calls back once when so many bytes have arrived: the moment in which
/// a test changes the world. What the callback throws is the sink's failure.
class TrippingSink final : public Sink {
 public:
  TrippingSink(std::shared_ptr<Stored> stored, std::size_t at, std::function<void()> trip)
      : stored_{std::move(stored)}, at_{at}, trip_{std::move(trip)} {}
  asio::awaitable<void> prepare(Inlet& in, StageContext&) override {
    while (const std::optional<Chunk> chunk = co_await in.pop()) {
      const auto bytes = chunk->bytes();
      stored_->prepared.insert(stored_->prepared.end(), bytes.begin(), bytes.end());
      if (trip_ && stored_->prepared.size() > at_) std::exchange(trip_, nullptr)();
    }
  }
  asio::awaitable<Receipt> commit(StageContext&) override {
    ++stored_->commits;
    stored_->visible = std::move(stored_->prepared);
    co_return Receipt{.location = "memory", .bytes = stored_->visible.size(), .etag = ""};
  }
  asio::awaitable<void> abort(StageContext&) override {
    ++stored_->aborts;
    co_return;
  }

 private:
  std::shared_ptr<Stored> stored_;
  std::size_t at_;
  std::function<void()> trip_;
};

struct SourceRun {
  SourceReport report;
  Bytes output;  ///< empty unless it was committed
  int commits = 0;

  [[nodiscard]] std::string cause() const { return report.cause ? report.cause->what() : ""; }
};

/// Runs source → sink in small chunks and short queues, so that a child feels its consumer soon.
inline SourceRun run_source(std::unique_ptr<Source> source, std::size_t trip_at = 0,
                            std::function<void()> trip = nullptr, RunOptions options = {}) {
  auto stored = std::make_shared<Stored>();
  GraphBuilder builder;
  const auto from = builder.add("source", std::move(source));
  const auto to =
      builder.add("sink", std::make_unique<TrippingSink>(stored, trip_at, std::move(trip)));
  builder.connect(from, to, {.slots = 2});
  Graph graph = std::move(builder).build();
  MemoryPlan plan = plan_memory(graph, std::size_t{16} << 10, std::size_t{64} << 20);
  SourceReport report = run(bp::run(std::move(graph), std::move(plan), std::move(options)));
  return {std::move(report), std::move(stored->visible), stored->commits};
}

inline SourceRun run_source(const std::string& type, const std::string& toml,
                            std::size_t trip_at = 0, std::function<void()> trip = nullptr) {
  const MadeSource made = make_source(type, toml);
  if (!made.problems.empty()) throw std::runtime_error{made.problems};
  return run_source(made.type.make({}), trip_at, std::move(trip));
}

inline std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace bp::test
