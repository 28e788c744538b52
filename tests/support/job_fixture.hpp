// tests/support/job_fixture.hpp — a small job: scripted stages in a chain or a tree, and one run.
//
//   JobFixture job;
//   job.source("numbers", pattern(3 * chunk));
//   Witness& good = job.sink("good");
//   Witness& bad = job.sink("bad", fails_after(chunk + 1));
//   const SourceReport report = job.run();
//
// A stage is fed by the last source or filter that was named; behind() names another one.
#pragma once

#include "engine/run.hpp"
#include "tests/support/scripted_stages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace bp::test {

constexpr std::size_t chunk = 64;

class JobFixture {
 public:
  JobFixture() { options.stop = stop.get_token(); }
  JobFixture(const JobFixture&) = delete;
  JobFixture& operator=(const JobFixture&) = delete;
  ~JobFixture() { let_all_come_home(); }

  Witness& source(std::string name, Bytes bytes, const Script& script = {}) {
    const auto witness = new_witness();
    std::unique_ptr<Source> stage;
    if (script.blocking) {
      stage = std::make_unique<BlockingScriptedSource>(std::move(bytes), script, gate, witness);
    } else {
      stage = std::make_unique<ScriptedSource>(std::move(bytes), script, gate, witness);
    }
    source(std::move(name), std::move(stage));
    return *witness;
  }
  Witness& filter(std::string name, const Script& script = {}) {
    const auto witness = new_witness();
    std::unique_ptr<Filter> stage;
    if (script.blocking) {
      stage = std::make_unique<BlockingScriptedFilter>(script, gate, witness);
    } else {
      stage = std::make_unique<ScriptedFilter>(script, gate, witness);
    }
    filter(std::move(name), std::move(stage));
    return *witness;
  }
  Witness& sink(std::string name, const Script& script = {}, bool required = true) {
    const auto witness = new_witness();
    std::unique_ptr<Sink> stage;
    if (script.blocking) {
      stage = std::make_unique<BlockingScriptedSink>(script, gate, witness);
    } else {
      stage = std::make_unique<ScriptedSink>(script, gate, witness);
    }
    const auto node = builder.add(std::move(name), std::move(stage), required);
    builder.connect(head_.value(), node, edge);
    return *witness;
  }
  Witness& optional_sink(std::string name, const Script& script = {}) {
    return sink(std::move(name), script, /*required=*/false);
  }

  // Stages of the test's own making.
  void source(std::string name, std::unique_ptr<Source> stage) {
    head_ = feeders_[name] = builder.add(name, std::move(stage));
  }
  void filter(std::string name, std::unique_ptr<Filter> stage) {
    const auto node = builder.add(name, std::move(stage));
    builder.connect(head_.value(), node, edge);
    head_ = feeders_[name] = node;
  }

  /// The next stages are fed by this source or filter.
  JobFixture& behind(const std::string& name) {
    head_ = feeders_.at(name);
    return *this;
  }

  /// Runs the graph until its report is there; what is quarantined stays for the destructor.
  SourceReport run() {
    Graph graph = std::move(builder).build();
    MemoryPlan plan = plan_memory(graph, chunk_bytes, memory_limit);
    std::optional<SourceReport> report;
    std::exception_ptr failure;
    asio::co_spawn(io, bp::run(std::move(graph), std::move(plan), options),
                   [&](std::exception_ptr thrown, SourceReport told) {
                     failure = thrown;
                     report = std::move(told);
                   });
    while (!report && io.run_one() != 0) continue;
    if (failure) std::rethrow_exception(failure);
    for (const Warning& warning : report->warnings) {
      EXPECT_EQ(warning.text.find("please report this"), std::string::npos) << warning.text;
    }
    return std::move(*report);
  }

  /// After run(): waits for those who were given up. Before that, their threads own their
  /// witnesses.
  void let_all_come_home() {
    gate.open();
    io.restart();
    io.run();
  }

  asio::io_context io;
  Gate gate;
  std::stop_source stop;
  RunOptions options;
  GraphBuilder builder;
  EdgeOptions edge{.slots = 2, .max_stall = std::nullopt};  ///< of the next connections
  std::size_t chunk_bytes = chunk;
  std::size_t memory_limit = std::size_t{64} << 20;

 private:
  std::shared_ptr<Witness> new_witness() {
    witnesses_.push_back(std::make_shared<Witness>());
    return witnesses_.back();
  }

  std::optional<GraphBuilder::Node> head_;
  std::map<std::string, GraphBuilder::Node> feeders_;
  std::vector<std::shared_ptr<Witness>> witnesses_;
};

inline const SinkReport& sink_report(const SourceReport& report, std::string_view name) {
  for (const SinkReport& sink : report.sinks) {
    if (sink.name == name) return sink;
  }
  throw std::logic_error{"no such sink"};
}

}  // namespace bp::test
