#include "engine/run.hpp"

#include "engine/run_state.hpp"
#include "engine/tee.hpp"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace bp {

namespace {

using detail::NodeRun;
using detail::RunState;
using Kind = Graph::Kind;
using State = std::shared_ptr<RunState>;

// A stage's part in each phase, as one coroutine with one end.

asio::awaitable<void> produce(NodeRun& node) {
  co_await node.node().source->produce(*node.outlet, node);
  co_await node.outlet->flush();
}

asio::awaitable<void> transform(NodeRun& node) {
  co_await node.node().filter->transform(*node.inlet, *node.outlet, node);
  co_await node.outlet->flush();
}

asio::awaitable<void> commit(NodeRun& node) {
  Receipt receipt = co_await node.node().sink->commit(node);
  node.receipt = std::move(receipt);
}

asio::awaitable<void> tee(RunState& state, NodeRun& node) {
  std::vector<TeeLeg> legs;
  for (const std::size_t edge : node.node().out) {
    legs.push_back({&state.channels[edge], state.graph.edges()[edge].options.max_stall});
  }
  return run_tee(state.input_of(node), std::move(legs), [&state, &node](std::size_t leg) {
    const std::size_t edge = node.node().out[leg];
    const auto limit = *state.graph.edges()[edge].options.max_stall;
    NodeRun& consumer = state.consumer_of(edge);
    state.fail(consumer, Error{Errc::timeout,
                               fmt::format("kept the other destinations waiting for more than {} s",
                                           limit.count() / 1000),
                               "Raise max_stall, or put a spool before it."});
    state.ask_to_end(consumer);
  });
}

asio::awaitable<void> transfer_work(RunState& state, NodeRun& node) {
  switch (node.node().kind) {
    case Kind::source: return produce(node);
    case Kind::filter: return transform(node);
    case Kind::tee: return tee(state, node);
    case Kind::sink: break;
  }
  return node.node().sink->prepare(*node.inlet, node);
}

bool is_living_sink(const NodeRun& node) { return node.node().kind == Kind::sink && !node.error; }

bool any_living_sink(const RunState& state) { return std::ranges::any_of(state.nodes, is_living_sink); }

void preflight_stages(RunState& state, bool sources) {
  for (NodeRun& node : state.nodes) {
    const bool is_source = node.node().kind == Kind::source;
    if (node.node().kind == Kind::tee || is_source != sources || node.error) continue;
    state.start(
        node, node.node().stage()->preflight(node),
        [&state](NodeRun& ended, std::optional<Error> error) {
          if (error) state.fail(ended, *error);
        },
        state.options.preflight_deadline);
  }
}

void refuse_all(RunState& state, std::string why) {
  const Error refused{Errc::peer_failed, std::move(why)};
  for (NodeRun& node : state.nodes) {
    if (!node.error) node.error = refused;
  }
}

/// Sinks and filters first: nobody asks a database about its privileges for a bucket that does not exist.
/// A destination that refuses loses its own copy; only when none is left does nothing start.
asio::awaitable<void> preflight(RunState& state) {
  preflight_stages(state, /*sources=*/false);
  co_await state.join();
  if (any_living_sink(state)) {
    preflight_stages(state, /*sources=*/true);
    co_await state.join();
  }
  if (!state.options.all_or_nothing || state.failures.empty()) co_return;
  refuse_all(state, "not started: all_or_nothing, and another stage was refused");
}

void transfer_ended(RunState& state, NodeRun& node, std::optional<Error> error) {
  if (!error && node.error) error = node.error;  // its stream was voided and it did not notice
  if (!error && node.node().in && !state.input_of(node).drained()) {
    error = Error{Errc::internal, "returned before the end of its input"};
  }
  if (error) {
    state.fail(node, *error);
  } else {
    state.finish(node);
  }
}

/// Sinks first, sources last: no data may flow towards a stage that has not started.
asio::awaitable<void> transfer(RunState& state) {
  std::vector<std::size_t> order(state.nodes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::greater{},
                           [&state](std::size_t i) { return state.graph.path_to(i).size(); });
  for (const std::size_t i : order) {
    NodeRun& node = state.nodes[i];
    if (node.error) continue;
    node.started = true;
    state.start(node, transfer_work(state, node),
                [&state](NodeRun& ended, std::optional<Error> error) {
                  transfer_ended(state, ended, std::move(error));
                });
  }
  co_await state.join();
}

/// Why a sink must not be committed, or nothing. Looks at every stage and edge of its own path.
std::optional<Error> objection(RunState& state, std::size_t sink) {
  if (state.stop_requested()) return Error{Errc::cancelled, "stopped before it was committed"};
  for (const std::size_t i : state.graph.path_to(sink)) {
    const NodeRun& node = state.nodes[i];
    if (node.error) return node.error;
    if (!node.returned) return Error{Errc::internal, fmt::format("'{}' never returned", node.name())};
    if (!node.node().in) continue;
    const EdgeCounters& counters = state.input_of(node).counters();
    if (counters.bytes_pushed != counters.bytes_popped) {
      return Error{Errc::internal,
                   fmt::format("{} bytes were sent to '{}' and {} arrived",
                               counters.bytes_pushed.load(), node.name(), counters.bytes_popped.load())};
    }
  }
  return std::nullopt;
}

void start_commit(RunState& state, NodeRun& node) {
  state.start(
      node, commit(node),
      [&state](NodeRun& ended, std::optional<Error> error) {
        if (!error) return;
        state.record(ended, *error);
        ended.error = error;
        // Its answer may be lost, not its effect.
        if (ended.late) {
          state.left_behind.push_back(
              fmt::format("'{}' did not say whether it committed", ended.name()));
        }
      },
      state.options.commit_deadline);
}

void start_abort(RunState& state, NodeRun& node) {
  node.forget_stop();
  state.start(
      node, node.node().sink->abort(node),
      [&state](NodeRun& ended, std::optional<Error> error) {
        if (!error) return;
        state.record(ended, error->within("clean-up"));
        state.left_behind.push_back(fmt::format("'{}': {}", ended.name(), error->what()));
      },
      state.abort_deadline());
}

/// Each sink by its own path, all of them at once.
asio::awaitable<void> decide(RunState& state) {
  state.begin_decision();
  bool any_bad = false;
  for (std::size_t i = 0; i < state.nodes.size(); ++i) {
    NodeRun& node = state.nodes[i];
    if (node.node().kind != Kind::sink) continue;
    const std::optional<Error> why_not = objection(state, i);
    if (!why_not) continue;
    any_bad = true;
    if (node.error) continue;
    state.record(node, *why_not);
    node.error = why_not;
  }
  if (any_bad && state.options.all_or_nothing) {
    refuse_all(state, "not committed: all_or_nothing, and another destination failed");
  }
  for (NodeRun& node : state.nodes) {
    if (node.node().kind != Kind::sink || !node.started || node.quarantined) continue;
    node.error ? start_abort(state, node) : start_commit(state, node);
  }
  co_await state.join();
}

Outcome judge(const SourceReport& report, const RunOptions& options, bool stopped) {
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

/// The pool's own account: a plan that was too small, or chunks that nobody gave back, are our bugs. They
/// are told, and they void nothing.
void audit_memory(RunState& state) {
  for (NodeRun& node : state.nodes) node.outlet.reset();
  if (state.pool.overruns() != 0) {
    state.warnings.push_back({"engine", fmt::format("the memory plan of {} chunks was exceeded: {} were "
                                                    "in use; please report this",
                                                    state.plan.chunks, state.pool.peak()),
                              {}});
  }
  if (state.left_behind.empty() && state.pool.in_use() != 0) {
    state.warnings.push_back({"engine", fmt::format("{} chunks were not given back; please report this",
                                                    state.pool.in_use()),
                              {}});
  }
}

SourceReport conclude(RunState& state) {
  audit_memory(state);
  SourceReport report = state.report();
  if (state.options.preflight_only) {
    const bool refused = std::ranges::any_of(
        report.sinks, [](const SinkReport& sink) { return sink.failure.has_value(); });
    report.outcome = refused ? Outcome::failed : Outcome::stored;
    if (report.outcome == Outcome::stored && !report.warnings.empty()) {
      report.outcome = Outcome::stored_with_warnings;
    }
    return report;
  }
  report.outcome = judge(report, state.options, state.stop_requested());
  if (report.outcome == Outcome::failed && !report.cause && report.committed() > 0) {
    report.cause = Error{Errc::destination,
                         fmt::format("{} of {} copies were stored, at least {} are wanted",
                                     report.committed(), report.sinks.size(),
                                     state.options.min_success)};
  }
  return report;
}

}  // namespace

asio::awaitable<SourceReport> run(Graph graph, MemoryPlan plan, RunOptions options) {
  const auto io = co_await asio::this_coro::executor;
  const State state = std::make_shared<RunState>(io, std::move(graph), std::move(plan),
                                                 std::move(options));
  for (std::size_t i = 0; i < state->nodes.size(); ++i) {
    if (Stage* stage = state->nodes[i].node().stage()) stage->grant(state->plan.grants[i]);
  }

  co_await preflight(*state);
  if (!state->options.preflight_only && !state->stop_requested() && any_living_sink(*state)) {
    co_await transfer(*state);
    co_await state->reap();
    state->observe();
    co_await decide(*state);
  }
  co_await state->reap();
  co_return conclude(*state);
}

}  // namespace bp
