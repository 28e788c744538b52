#include "engine/run_state.hpp"

#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace bp::detail {

namespace {

/// How long a stage has after being cancelled at a deadline, before it is given up.
constexpr std::chrono::seconds last_chance{5};

Error gave_up(const NodeRun& node) {
  return Error{Errc::peer_failed, fmt::format("'{}' gave up", node.name())};
}

Error took_too_long(const NodeRun& node) {
  if (!node.limit) return Error{Errc::timeout, "was not done when the stop request ran out of time"};
  return Error{Errc::timeout, fmt::format("took longer than {} s", node.limit->count() / 1000)};
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
      bell_{executor} {
  for (const Graph::Edge& edge : graph.edges()) channels.emplace_back(io, edge.options.slots);
  for (const Graph::Node& node : graph.nodes()) {
    NodeRun& run = nodes.emplace_back(node, RunResources{io, pool, reaper});
    if (node.in) run.inlet.emplace(channels[*node.in]);
    if (node.out.size() == 1) run.outlet.emplace(channels[node.out.front()], pool);
  }
  // The stop request may come from any thread; the state must not be kept alive by its own callback.
  std::function<void()> pass_on = [this, executor] {
    asio::post(executor, [self = weak_from_this()] {
      if (const auto state = self.lock()) state->bell_.ring();
    });
  };
  on_stop_.emplace(options.stop, std::move(pass_on));
}

void RunState::start(NodeRun& node, asio::awaitable<void> work, Ended ended,
                     std::optional<std::chrono::milliseconds> limit) {
  node.running = true;
  node.asked = node.late = false;
  node.limit = limit;
  if (limit) node.cancel_at = Clock::now() + *limit;
  ++running_;
  auto at_end = [self = shared_from_this(), &node, ended = std::move(ended)](
                    std::exception_ptr thrown) {
    if (node.quarantined) return;  // too late: the decision about it has been taken
    node.running = false;
    node.cancel_at = node.complain_at = node.give_up_at = std::nullopt;
    --self->running_;
    std::optional<Error> error;
    if (thrown) error = node.late ? took_too_long(node) : to_error(thrown);
    ended(node, std::move(error));
    self->bell_.ring();
  };
  asio::co_spawn(io, std::move(work),
                 asio::bind_cancellation_slot(node.cancel.slot(), std::move(at_end)));
}

asio::awaitable<void> RunState::join() {
  Clock::time_point next_look = Clock::now() + options.observe_every;
  for (;;) {
    const Clock::time_point now = Clock::now();
    if (options.stop.stop_requested() && !stopping_) stop_everything();
    keep_deadlines(now);
    if (options.observe && now >= next_look) {
      observe();
      next_look = now + options.observe_every;
    }
    if (running_ == 0) co_return;
    bell_.arm();
    Clock::time_point until = next_deadline();
    if (options.observe) until = std::min(until, next_look);
    [[maybe_unused]] const bool rung = co_await bell_.wait_until(until);
  }
}

asio::awaitable<void> RunState::reap() {
  const auto patience = stopping_ ? options.hurried_grace : options.stop_grace;
  std::vector<std::string> remaining = co_await reaper.drain(patience);
  for (const std::string& name : remaining) {
    left_behind.push_back(fmt::format("the process '{}' did not end", name));
  }
}

void RunState::fail(NodeRun& node, const Error& error) {
  record(node, error);
  if (!node.error) node.error = error;
  void_downstream(node);
  cut_upstream(node);
}

void RunState::record(const NodeRun& node, const Error& error) {
  if (!error.is_consequence()) failures.push_back(error.within(node.name()));
}

void RunState::finish(NodeRun& node) {
  node.returned = true;
  for (const std::size_t edge : node.node().out) channels[edge].finish();
}

void RunState::ask_to_end(NodeRun& node) {
  if (!node.running || node.asked) return;
  const Clock::time_point now = Clock::now();
  node.cancel_at.reset();
  node.complain_at = now + options.stop_grace;
  node.give_up_at = now + (stopping_ ? options.hurried_grace : options.abort_deadline);
  node.ask_to_end();
}

void RunState::void_downstream(NodeRun& node) {
  for (const std::size_t edge : node.node().out) {
    const Error why{Errc::peer_failed, fmt::format("'{}' failed", node.name())};
    channels[edge].fail(why);
    NodeRun& consumer = consumer_of(edge);
    if (consumer.error) continue;
    consumer.error = why;
    ask_to_end(consumer);
    void_downstream(consumer);
  }
}

void RunState::cut_upstream(NodeRun& node) {
  if (!node.node().in) return;
  input_of(node).fail(gave_up(node));
  NodeRun& producer = producer_of(*node.node().in);
  if (producer.returned || producer.error) return;
  const bool feeds_another = std::ranges::any_of(producer.node().out, [this](std::size_t edge) {
    return !consumer_of(edge).error;
  });
  if (feeds_another) return;
  producer.error = gave_up(node);
  ask_to_end(producer);
  cut_upstream(producer);
}

void RunState::stop_everything() {
  stopping_ = true;
  reaper.hurry(options.hurried_grace);
  const Clock::time_point now = Clock::now();
  if (deciding_) {
    // A commit or an abort that is under way may end well, if it does so soon.
    for (NodeRun& node : nodes) {
      if (node.running) node.cancel_at = now + options.hurried_abort;
    }
    return;
  }
  const Error stopped{Errc::cancelled, "stopped"};
  for (Channel& channel : channels) channel.fail(stopped);
  for (NodeRun& node : nodes) {
    if (!node.returned && !node.error) node.error = stopped;
    ask_to_end(node);
    if (node.running) node.give_up_at = now + options.hurried_grace;
  }
}

void RunState::keep_deadlines(Clock::time_point now) {
  for (NodeRun& node : nodes) {
    if (!node.running) continue;
    if (node.cancel_at && now >= *node.cancel_at) {
      node.cancel_at.reset();
      node.late = true;
      node.give_up_at = now + (stopping_ ? std::chrono::seconds{1} : last_chance);
      node.ask_to_end();
    }
    if (node.complain_at && now >= *node.complain_at) {
      node.complain_at.reset();
      node.warn(fmt::format("has not stopped {} s after it was asked to",
                            options.stop_grace.count() / 1000));
    }
    if (node.give_up_at && now >= *node.give_up_at) quarantine(node);
  }
}

void RunState::quarantine(NodeRun& node) {
  node.quarantined = true;
  node.running = false;
  --running_;
  const Error stuck{Errc::timeout, "did not stop and was given up"};
  record(node, stuck);
  if (!node.error || node.error->is_consequence()) node.error = stuck;
  left_behind.push_back(fmt::format("'{}' did not stop: what it holds may be left behind", node.name()));
  if (!node.returned) {
    void_downstream(node);
    cut_upstream(node);
  }
}

Clock::time_point RunState::next_deadline() const {
  Clock::time_point next = Clock::time_point::max();
  for (const NodeRun& node : nodes) {
    if (!node.running) continue;
    for (const auto& moment : {node.cancel_at, node.complain_at, node.give_up_at}) {
      if (moment) next = std::min(next, *moment);
    }
  }
  return next;
}

std::chrono::milliseconds RunState::abort_deadline() const noexcept {
  return stopping_ ? options.hurried_abort : options.abort_deadline;
}

void RunState::observe() const {
  if (!options.observe) return;
  Progress progress;
  progress.elapsed = Clock::now() - began_at_;
  progress.chunks_in_use = pool.in_use();
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const EdgeCounters& counters = channels[i].counters();
    progress.edges.push_back({
        .from = graph.nodes()[graph.edges()[i].from].name,
        .to = graph.nodes()[graph.edges()[i].to].name,
        .bytes_pushed = counters.bytes_pushed,
        .bytes_popped = counters.bytes_popped,
        .push_blocked = std::chrono::nanoseconds{counters.push_blocked_ns},
        .pop_blocked = std::chrono::nanoseconds{counters.pop_blocked_ns},
        .fill = counters.fill,
        .slots = channels[i].slots(),
    });
  }
  options.observe(progress);
}

StageReport RunState::stage_report(const NodeRun& node) const {
  NodeRun::Told told = node.told();
  StageReport report{.name = std::string{node.name()}, .cpu = told.cpu, .notes = std::move(told.notes)};
  if (node.node().in) {
    const EdgeCounters& counters = channels[*node.node().in].counters();
    report.bytes_in = counters.bytes_popped;
    report.blocked_in = std::chrono::nanoseconds{counters.pop_blocked_ns};
  }
  // A tee pushes every byte once per leg; what left it is what one leg got at most.
  for (const std::size_t edge : node.node().out) {
    const EdgeCounters& counters = channels[edge].counters();
    report.bytes_out = std::max<std::uint64_t>(report.bytes_out, counters.bytes_pushed);
    report.blocked_out += std::chrono::nanoseconds{counters.push_blocked_ns};
  }
  return report;
}

SourceReport RunState::report() const {
  SourceReport report;
  report.began = began;
  report.ended = std::chrono::system_clock::now();
  report.left_behind = left_behind;
  report.warnings = warnings;
  report.peak_chunks = pool.peak();
  for (const NodeRun& node : nodes) {
    report.started = report.started || node.started;
    std::vector<Warning> told = node.told().warnings;
    std::ranges::move(told, std::back_inserter(report.warnings));
    report.stages.push_back(stage_report(node));
    if (node.node().kind != Graph::Kind::sink) continue;
    report.sinks.push_back({.name = std::string{node.name()},
                            .required = node.node().required,
                            .receipt = node.receipt,
                            .failure = node.error});
  }
  if (!failures.empty()) {
    report.cause = failures.front();
    report.secondary.assign(failures.begin() + 1, failures.end());
  }
  return report;
}

}  // namespace bp::detail
