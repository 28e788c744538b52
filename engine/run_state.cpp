#include "engine/run_state.hpp"

#include "engine/run_report.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bp::detail {

namespace {

Error gave_up(const NodeRun& node) {
  return Error{Errc::peer_failed, fmt::format("'{}' gave up", node.name())};
}

Error failed(const NodeRun& node) {
  return Error{Errc::peer_failed, fmt::format("'{}' failed", node.name())};
}

Error took_too_long(const NodeRun& node) {
  if (!node.limit) return Error{Errc::timeout, "was not done when the time after a stop was over"};
  return Error{Errc::timeout, fmt::format("took longer than {}", in_seconds(*node.limit))};
}

}  // namespace

RunState::RunState(asio::any_io_executor executor, Graph built, MemoryPlan memory,
                   RunOptions run_options)
    : options{std::move(run_options)},
      plan{std::move(memory)},
      pool{plan.chunk_bytes, plan.chunks},
      reaper{executor, options.stop_grace},
      graph{std::move(built)},
      io{executor},
      observing_{static_cast<bool>(options.observe)},
      bell_{executor} {
  for (const Graph::Edge& edge : graph.edges()) channels.emplace_back(io, edge.options.slots);
  for (const Graph::Node& node : graph.nodes()) {
    NodeRun& run = nodes.emplace_back(node, RunResources{io, pool, reaper});
    if (node.in) run.inlet.emplace(channels[*node.in]);
    if (node.out.size() == 1) run.outlet.emplace(channels[node.out.front()], pool);
  }
}

void RunState::start(NodeRun& node, asio::awaitable<void> work, Ended ended,
                     std::optional<std::chrono::milliseconds> limit) {
  node.running = true;
  node.asked = node.late = false;
  node.ended = std::move(ended);
  node.limit = limit;
  if (limit) node.cancel_at = Clock::now() + *limit;
  ++running_;
  auto at_end = [self = shared_from_this(), &node](std::exception_ptr thrown) {
    if (node.quarantined) return;  // too late: the decision about it has been taken
    std::optional<Error> error;
    if (thrown) error = node.late ? took_too_long(node) : to_error(thrown);
    self->end_work(node, std::move(error));
  };
  asio::co_spawn(io, std::move(work),
                 asio::bind_cancellation_slot(node.cancel.slot(), std::move(at_end)));
}

void RunState::end_work(NodeRun& node, std::optional<Error> error) {
  node.running = false;
  node.cancel_at = node.complain_at = node.give_up_at = std::nullopt;
  --running_;
  const Ended ended = std::exchange(node.ended, nullptr);
  ended(node, std::move(error));
  bell_.ring();
}

asio::awaitable<void> RunState::join() {
  Clock::time_point next_look = Clock::now() + options.observe_every;
  for (;;) {
    look_for_stop();
    const Clock::time_point now = Clock::now();
    keep_deadlines(now);
    if (observing_ && now >= next_look) {
      observe();
      next_look = now + options.observe_every;
    }
    if (running_ == 0) co_return;
    bell_.arm();
    Clock::time_point until = next_deadline();
    if (observing_) until = std::min(until, next_look);
    [[maybe_unused]] const bool rung = co_await bell_.wait_until(until);
  }
}

void RunState::observe() {
  if (!observing_) return;
  try {
    options.observe(progress_of(*this));
  } catch (...) {
    // Somebody's display is no reason to lose a backup.
    observing_ = false;
    const Error error = to_error(std::current_exception());
    warnings.push_back({"engine", fmt::format("the observer failed: {}", error.what()), {}});
  }
}

asio::awaitable<void> RunState::reap() {
  living_children_ = co_await reaper.drain(options.stop_grace);
}

void RunState::give_up_children() {
  for (const std::string& name : living_children_) {
    left_behind.push_back(fmt::format("the process '{}' did not end", name));
  }
  // At their end they tell their stage's context, which is ours.
  if (!living_children_.empty()) reaper.keep(shared_from_this());
}

void RunState::fail(NodeRun& node, const Error& error) {
  record(node, error);
  if (!node.error) node.error = error;
  void_downstream(node, failed(node));
  cut_upstream(node);
}

void RunState::record(const NodeRun& node, const Error& error) {
  // A deadline also asks, and is the stage's own failure.
  const bool was_asked = node.asked && !node.late;
  if (!error.is_consequence()) {
    (was_asked ? aftermath : failures).push_back(error.within(node.name()));
  } else if (!was_asked) {
    // A consequence of nothing: without this the run would fail and not say why.
    const Error own{Errc::internal, fmt::format("gave up by itself: {}", error.what())};
    failures.push_back(own.within(node.name()));
  }
}

void RunState::finish(NodeRun& node) {
  node.returned = true;
  for (const std::size_t edge : node.node().out) channels[edge].finish();
}

void RunState::void_downstream(NodeRun& node, const Error& why) {
  for (const std::size_t edge : node.node().out) {
    channels[edge].fail(why);
    NodeRun& consumer = consumer_of(edge);
    if (consumer.error) continue;
    consumer.error = why;
    ask_to_end(consumer);
    void_downstream(consumer, why);
  }
}

void RunState::cut_upstream(NodeRun& node) {
  if (!node.node().in) return;
  input_of(node).fail(gave_up(node));
  NodeRun& producer = producer_of(*node.node().in);
  if (producer.returned || producer.error) return;
  const bool feeds_another = std::ranges::any_of(
      producer.node().out, [this](std::size_t edge) { return !consumer_of(edge).error; });
  if (feeds_another) return;
  producer.error = gave_up(node);
  ask_to_end(producer);
  cut_upstream(producer);
}

void RunState::fail_stalled(std::size_t edge, const Error& error) {
  NodeRun& culprit = stalled_behind(edge);
  fail(culprit, error);
  ask_to_end(culprit);

  // Behind a second tee there may be legs without blame. Their stream is cut here all the same.
  NodeRun& leg = consumer_of(edge);
  if (leg.error) return;
  leg.error = failed(culprit);
  ask_to_end(leg);
  void_downstream(leg, failed(culprit));
  cut_upstream(leg);
}

/// A stage that cannot get rid of its output is not to blame for not taking input.
NodeRun& RunState::stalled_behind(std::size_t edge) {
  NodeRun& node = consumer_of(edge);
  for (const std::size_t out : node.node().out) {
    const bool full = channels[out].counters().fill == channels[out].slots();
    if (full && !consumer_of(out).error) return stalled_behind(out);
  }
  return node;
}

}  // namespace bp::detail
