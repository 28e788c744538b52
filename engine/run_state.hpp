// engine/run_state.hpp — everything that lives during one run of a graph. Internal to the runner.
//
// The runner's coroutine goes through the phases (run.cpp); this class starts pieces of work,
// notices their ends, spreads failures along the edges (run_state.cpp) and ends stages that are no
// longer wanted (run_stop.cpp). It is shared with the work under way: a stage that never comes back
// keeps it, with its memory, until the process ends.
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

  /// Starts `work` for a stage, one piece at a time. `ended` is called once: when it is over, or
  /// when it is given up. After `limit` it is cancelled and ends with Errc::timeout.
  /// Pass coroutines only: what a plain function throws before it returns one would end the run.
  void start(NodeRun& node, asio::awaitable<void> work, Ended ended,
             std::optional<std::chrono::milliseconds> limit = std::nullopt);
  /// Waits until no work is under way, observing, obeying a stop request, keeping the deadlines.
  [[nodiscard]] asio::awaitable<void> join();
  /// Waits until no child is left, or only such as do not end.
  [[nodiscard]] asio::awaitable<void> reap();
  /// Names the children that the last reap() had to leave.
  void give_up_children();

  /// A stage failed during preflight or transfer: records it, voids what it feeds, and upstream
  /// whatever then feeds nothing else.
  void fail(NodeRun& node, const Error& error);
  /// Remembers an error for the report: as a candidate for the cause, unless the stage had been
  /// asked to end before. What then is a mere consequence is not remembered.
  void record(const NodeRun& node, const Error& error);
  /// The transfer of a stage ended well: its consumers see the end of the stream.
  void finish(NodeRun& node);
  /// Fails the stage that keeps `edge` full, and voids all that lies behind that edge.
  void fail_stalled(std::size_t edge, const Error& error);

  /// The stage is to end of itself, within the time that is left for it.
  void ask_to_end(NodeRun& node);
  /// Voids every stream, for a reason that is no stage's own.
  void end_everything(const Error& why);
  /// From now on a stop request is obeyed at once, until stop_listening().
  void listen_for_stop();
  void stop_listening() noexcept { on_stop_.reset(); }
  /// Obeys a stop request, if there is one that has not been obeyed yet.
  void look_for_stop();
  /// From now on work under way is commits and aborts, which a stop request leaves a little time.
  void begin_decision() noexcept { deciding_ = true; }
  [[nodiscard]] bool stop_requested() const noexcept { return stopping_; }
  [[nodiscard]] std::chrono::milliseconds abort_deadline() const noexcept;

  /// Shows the observer where we are. An observer that throws is not asked again.
  void observe();

  [[nodiscard]] NodeRun& consumer_of(std::size_t edge) { return nodes[graph.edges()[edge].to]; }
  [[nodiscard]] NodeRun& producer_of(std::size_t edge) { return nodes[graph.edges()[edge].from]; }
  [[nodiscard]] Channel& input_of(const NodeRun& node) { return channels[*node.node().in]; }

  // In this order: stages and edges give their chunks back before the pool goes.
  const RunOptions options;
  const MemoryPlan plan;
  BufferPool pool;
  Reaper reaper;
  Graph graph;
  std::deque<Channel> channels;  ///< by edge
  std::deque<NodeRun> nodes;     ///< by node
  const asio::any_io_executor io;

  std::vector<Error> failures;   ///< in the order of time; the first is the cause
  std::vector<Error> aftermath;  ///< what went wrong while ending and cleaning up: never the cause
  std::vector<std::string> left_behind;
  std::vector<Warning> warnings;  ///< of the runner itself
  const std::chrono::system_clock::time_point began = std::chrono::system_clock::now();
  const Clock::time_point began_at = Clock::now();

 private:
  void end_work(NodeRun& node, std::optional<Error> error);
  void void_downstream(NodeRun& node, const Error& why);
  void cut_upstream(NodeRun& node);
  [[nodiscard]] NodeRun& stalled_behind(std::size_t edge);
  void hurry_decision();
  void keep_deadlines(Clock::time_point now);
  void quarantine(NodeRun& node);
  [[nodiscard]] Clock::time_point next_deadline() const;
  [[nodiscard]] std::chrono::milliseconds last_chance() const noexcept;

  std::size_t running_ = 0;
  bool stopping_ = false;
  bool deciding_ = false;
  bool observing_;
  std::vector<std::string> living_children_;
  Bell bell_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace bp::detail
