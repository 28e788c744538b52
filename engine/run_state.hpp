// engine/run_state.hpp — everything that lives during one run of a graph. Internal to the runner.
//
// The runner's coroutine goes through the phases (run.cpp); this class starts pieces of work, notices their
// ends, and spreads failures along the edges. It is shared with the work under way: a stage that never comes
// back keeps it, with its memory, until the process ends (quarantine).
#pragma once

#include "engine/node_run.hpp"
#include "engine/reaper.hpp"
#include "engine/run.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <stop_token>

namespace bp::detail {

/// I/O thread only.
class RunState : public std::enable_shared_from_this<RunState> {
 public:
  RunState(asio::any_io_executor io, Graph graph, MemoryPlan plan, RunOptions options);

  /// Called when a piece of work ended: without an error, or with one that is not yet recorded.
  using Ended = std::function<void(NodeRun&, std::optional<Error>)>;
  /// Starts `work` for a stage, one piece at a time. After `limit` it is cancelled and ends with
  /// Errc::timeout.
  void start(NodeRun& node, asio::awaitable<void> work, Ended ended,
             std::optional<std::chrono::milliseconds> limit = std::nullopt);
  /// Waits until no work is under way, observing, obeying a stop request, and keeping the deadlines.
  [[nodiscard]] asio::awaitable<void> join();
  /// Waits until no child is left.
  [[nodiscard]] asio::awaitable<void> reap();

  /// A stage failed during preflight or transfer: records it, voids what it feeds, and upstream whatever
  /// then feeds nothing else.
  void fail(NodeRun& node, const Error& error);
  /// Remembers an error for the report; consequences are not remembered.
  void record(const NodeRun& node, const Error& error);
  /// The transfer of a stage ended well: its consumers see the end of the stream.
  void finish(NodeRun& node);
  /// The stage to end of itself, within the time that is left for it.
  void ask_to_end(NodeRun& node);

  /// From now on work under way is commits and aborts, which a stop request leaves a little time.
  void begin_decision() noexcept { deciding_ = true; }
  [[nodiscard]] bool stop_requested() const noexcept { return stopping_; }
  void observe() const;
  [[nodiscard]] std::chrono::milliseconds abort_deadline() const noexcept;
  [[nodiscard]] NodeRun& consumer_of(std::size_t edge) { return nodes[graph.edges()[edge].to]; }
  [[nodiscard]] NodeRun& producer_of(std::size_t edge) { return nodes[graph.edges()[edge].from]; }
  [[nodiscard]] Channel& input_of(const NodeRun& node) { return channels[*node.node().in]; }
  [[nodiscard]] SourceReport report() const;

  // In this order: stages and edges give their chunks back before the pool goes.
  const RunOptions options;
  const MemoryPlan plan;
  BufferPool pool;
  Reaper reaper;
  Graph graph;
  std::deque<Channel> channels;  ///< by edge
  std::deque<NodeRun> nodes;     ///< by node
  const asio::any_io_executor io;

  std::vector<Error> failures;  ///< in the order of time, consequences left out
  std::vector<std::string> left_behind;
  std::vector<Warning> warnings;  ///< of the runner itself
  const std::chrono::system_clock::time_point began = std::chrono::system_clock::now();

 private:
  void void_downstream(NodeRun& node);
  void cut_upstream(NodeRun& node);
  void stop_everything();
  void keep_deadlines(Clock::time_point now);
  void quarantine(NodeRun& node);
  [[nodiscard]] Clock::time_point next_deadline() const;
  [[nodiscard]] StageReport stage_report(const NodeRun& node) const;

  const Clock::time_point began_at_ = Clock::now();
  std::size_t running_ = 0;
  bool stopping_ = false;
  bool deciding_ = false;
  Bell bell_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace bp::detail
