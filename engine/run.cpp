#include "engine/run.hpp"

#include "engine/run_report.hpp"
#include "engine/run_state.hpp"
#include "engine/tee.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace bp {

namespace {

using detail::NodeRun;
using detail::RunState;
using Kind = Graph::Kind;
using State = std::shared_ptr<RunState>;

// A stage's part in each phase, as one coroutine with one end. Coroutines also where a plain call
// would do: what a stage throws before it suspends is its failure like any other, and not the
// runner's.

asio::awaitable<void> check(NodeRun& node) {
  co_await node.node().stage()->preflight(node);
}

asio::awaitable<void> produce(NodeRun& node) {
  co_await node.node().source->produce(*node.outlet, node);
  co_await node.outlet->flush();
}

asio::awaitable<void> transform(NodeRun& node) {
  co_await node.node().filter->transform(*node.inlet, *node.outlet, node);
  co_await node.outlet->flush();
}

asio::awaitable<void> prepare(NodeRun& node) {
  co_await node.node().sink->prepare(*node.inlet, node);
}

asio::awaitable<void> commit(NodeRun& node) {
  Receipt receipt = co_await node.node().sink->commit(node);
  if (!node.quarantined) node.receipt = std::move(receipt);
}

asio::awaitable<void> abort(NodeRun& node) {
  co_await node.node().sink->abort(node);
}

asio::awaitable<void> tee(RunState& state, NodeRun& node) {
  std::vector<TeeLeg> legs;
  for (const std::size_t edge : node.node().out) {
    legs.push_back({&state.channels[edge], state.graph.edges()[edge].options.max_stall});
  }
  std::function<void(std::size_t)> stalled = [&state, &node](std::size_t leg) {
    const std::size_t edge = node.node().out[leg];
    const auto limit = *state.graph.edges()[edge].options.max_stall;
    state.fail_stalled(edge,
                       Error{Errc::timeout,
                             fmt::format("kept the other destinations waiting for more than {}",
                                         detail::in_seconds(limit)),
                             "Raise max_stall, or put a spool before it."});
  };
  co_await run_tee(state.input_of(node), std::move(legs), std::move(stalled));
}

asio::awaitable<void> transfer_work(RunState& state, NodeRun& node) {
  switch (node.node().kind) {
    case Kind::source:
      return produce(node);
    case Kind::filter:
      return transform(node);
    case Kind::tee:
      return tee(state, node);
    case Kind::sink:
      break;
  }
  return prepare(node);
}

bool is_living_sink(const NodeRun& node) {
  return node.node().kind == Kind::sink && !node.error;
}

bool any_living_sink(const RunState& state) {
  return std::ranges::any_of(state.nodes, is_living_sink);
}

/// Tells every stage how much of the plan is its own.
void grant_memory(RunState& state) {
  for (std::size_t i = 0; i < state.nodes.size(); ++i) {
    Stage* stage = state.nodes[i].node().stage();
    if (stage == nullptr) continue;
    try {
      stage->grant(state.plan.grants[i]);
    } catch (...) {
      state.fail(state.nodes[i], to_error(std::current_exception()));
    }
  }
}

void preflight_stages(RunState& state, bool sources) {
  for (NodeRun& node : state.nodes) {
    const bool is_source = node.node().kind == Kind::source;
    if (node.node().kind == Kind::tee || is_source != sources || node.error) continue;
    state.start(
        node, check(node),
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

/// Sinks and filters first: nobody asks a database about its privileges for a bucket that does not
/// exist. A destination that refuses loses its own copy; only when none is left does nothing start.
asio::awaitable<void> preflight(RunState& state) {
  preflight_stages(state, /*sources=*/false);
  co_await state.join();
  if (any_living_sink(state)) {
    preflight_stages(state, /*sources=*/true);
    co_await state.join();
  }
  const bool nobody_refused =
      std::ranges::none_of(state.nodes, [](const NodeRun& node) { return node.error.has_value(); });
  if (!state.options.all_or_nothing || nobody_refused) co_return;
  refuse_all(state, "not started: all_or_nothing, and another stage was refused");
}

void transfer_ended(RunState& state, NodeRun& node, std::optional<Error> error) {
  if (!error && !node.error) {
    if (!node.node().in || state.input_of(node).drained()) return state.finish(node);
    error = Error{Errc::internal, "returned before the end of its input"};
  }
  if (error) state.fail(node, *error);
  if (!state.options.all_or_nothing) return;
  state.end_everything(
      Error{Errc::peer_failed, "given up: all_or_nothing, and another stage failed"});
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
    if (!node.returned)
      return Error{Errc::internal, fmt::format("'{}' never returned", node.name())};
    if (!node.node().in) continue;
    const EdgeCounters& counters = state.input_of(node).counters();
    if (counters.bytes_pushed != counters.bytes_popped) {
      return Error{Errc::internal, fmt::format("{} bytes were sent to '{}' and {} arrived",
                                               counters.bytes_pushed.load(), node.name(),
                                               counters.bytes_popped.load())};
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
      node, abort(node),
      [&state](NodeRun& ended, std::optional<Error> error) {
        if (!error) return;
        state.aftermath.push_back(error->within("clean-up").within(ended.name()));
        state.left_behind.push_back(fmt::format("'{}': {}", ended.name(), error->what()));
      },
      state.abort_deadline());
}

/// Each sink by its own path, all of them at once.
asio::awaitable<void> decide(RunState& state) {
  state.look_for_stop();
  state.begin_decision();
  bool any_bad = false;
  for (std::size_t i = 0; i < state.nodes.size(); ++i) {
    NodeRun& node = state.nodes[i];
    if (node.node().kind != Kind::sink) continue;
    const std::optional<Error> why_not = objection(state, i);
    if (!why_not) continue;
    any_bad = true;
    if (node.error) continue;
    if (!why_not->is_consequence()) state.failures.push_back(why_not->within(node.name()));
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

}  // namespace

asio::awaitable<SourceReport> run(Graph graph, MemoryPlan plan, RunOptions options) {
  if (plan.grants.size() != graph.nodes().size()) {
    throw Error{Errc::internal, "the memory plan was made for another graph"};
  }
  const auto io = co_await asio::this_coro::executor;
  const State state =
      std::make_shared<RunState>(io, std::move(graph), std::move(plan), std::move(options));
  // Leaving here while stages run would leave sinks that nobody decides about.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);

  state->listen_for_stop();
  grant_memory(*state);
  co_await preflight(*state);
  if (!state->options.preflight_only && !state->stop_requested() && any_living_sink(*state)) {
    co_await transfer(*state);
    // A barrier for children, too; only in a hurry they end while sinks are being cleaned up.
    if (!state->stop_requested()) co_await state->reap();
    state->observe();
    co_await decide(*state);
  }
  co_await state->reap();
  state->give_up_children();
  state->stop_listening();
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return detail::conclude(*state);
}

}  // namespace bp
