#include "engine/run_report.hpp"

#include "engine/run_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace bp::detail {

namespace {

StageReport report_on(const RunState& state, const NodeRun& node) {
  NodeRun::Told told = node.told();
  StageReport report;
  report.name = node.name();
  report.cpu = told.cpu;
  report.notes = std::move(told.notes);
  if (node.node().in) {
    const EdgeCounters& counters = state.channels[*node.node().in].counters();
    report.bytes_in = counters.bytes_popped;
    report.blocked_in = std::chrono::nanoseconds{counters.pop_blocked_ns};
  }
  // A tee pushes every byte once per leg; what left it is what one leg got at most.
  for (const std::size_t edge : node.node().out) {
    const EdgeCounters& counters = state.channels[edge].counters();
    report.bytes_out = std::max<std::uint64_t>(report.bytes_out, counters.bytes_pushed);
    report.blocked_out += std::chrono::nanoseconds{counters.push_blocked_ns};
  }
  return report;
}

SourceReport report_on(const RunState& state) {
  SourceReport report;
  report.began = state.began;
  report.ended = std::chrono::system_clock::now();
  report.left_behind = state.left_behind;
  report.warnings = state.warnings;
  report.peak_chunks = state.pool.peak();
  for (const NodeRun& node : state.nodes) {
    report.started = report.started || node.started;
    std::vector<Warning> told = node.told().warnings;
    std::ranges::move(told, std::back_inserter(report.warnings));
    report.stages.push_back(report_on(state, node));
    if (node.node().kind != Graph::Kind::sink) continue;
    report.sinks.push_back({.name = std::string{node.name()},
                            .required = node.node().required,
                            .receipt = node.receipt,
                            .failure = node.error});
  }
  report.secondary = state.failures;
  if (!state.failures.empty()) {
    report.cause = state.failures.front();
    report.secondary.erase(report.secondary.begin());
  }
  std::ranges::copy(state.aftermath, std::back_inserter(report.secondary));
  return report;
}

Outcome judge_preflight(const SourceReport& report, bool stopped) {
  const bool refused = std::ranges::any_of(
      report.sinks, [](const SinkReport& sink) { return sink.failure.has_value(); });
  if (refused) return stopped ? Outcome::cancelled : Outcome::failed;
  return report.warnings.empty() ? Outcome::stored : Outcome::stored_with_warnings;
}

Outcome judge(const SourceReport& report, const RunOptions& options, bool stopped) {
  if (options.preflight_only) return judge_preflight(report, stopped);
  const std::size_t copies = report.committed();
  const bool required_missing = std::ranges::any_of(
      report.sinks, [](const SinkReport& sink) { return sink.required && !sink.receipt; });
  const bool any_missing = copies < report.sinks.size();
  if (any_missing && stopped) return Outcome::cancelled;
  if (copies == 0 || copies < options.min_success) return Outcome::failed;
  if (required_missing) return Outcome::partly_stored;
  if (any_missing || !report.warnings.empty()) return Outcome::stored_with_warnings;
  return Outcome::stored;
}

/// A plan that was too small, or chunks that nobody gave back, are our bugs. They are told, and
/// they void nothing.
void audit_memory(RunState& state) {
  const auto warn = [&state](std::string text) {
    state.warnings.push_back({"engine", std::move(text), {}});
  };
  if (state.pool.overruns() != 0) {
    warn(
        fmt::format("the memory plan of {} chunks was exceeded: {} were in use; please report this",
                    state.plan.chunks, state.pool.peak()));
  }
  const bool all_came_back = std::ranges::none_of(state.nodes, &NodeRun::quarantined);
  if (!all_came_back) return;  // what they hold is counted as lost
  for (NodeRun& node : state.nodes) node.outlet.reset();
  if (state.pool.in_use() != 0) {
    warn(fmt::format("{} chunks were not given back; please report this", state.pool.in_use()));
  }
}

}  // namespace

Progress progress_of(const RunState& state) {
  Progress progress;
  progress.elapsed = Clock::now() - state.began_at;
  progress.chunks_in_use = state.pool.in_use();
  for (std::size_t i = 0; i < state.channels.size(); ++i) {
    const EdgeCounters& counters = state.channels[i].counters();
    progress.edges.push_back({
        .from = state.graph.nodes()[state.graph.edges()[i].from].name,
        .to = state.graph.nodes()[state.graph.edges()[i].to].name,
        .bytes_pushed = counters.bytes_pushed,
        .bytes_popped = counters.bytes_popped,
        .push_blocked = std::chrono::nanoseconds{counters.push_blocked_ns},
        .pop_blocked = std::chrono::nanoseconds{counters.pop_blocked_ns},
        .fill = counters.fill,
        .slots = state.channels[i].slots(),
    });
  }
  return progress;
}

SourceReport conclude(RunState& state) {
  audit_memory(state);
  SourceReport report = report_on(state);
  report.outcome = judge(report, state.options, state.stop_requested());
  if (report.outcome == Outcome::failed && !report.cause && report.committed() > 0) {
    report.cause =
        Error{Errc::destination,
              fmt::format("{} of {} copies were stored, at least {} are wanted", report.committed(),
                          report.sinks.size(), state.options.min_success)};
  }
  return report;
}

}  // namespace bp::detail
