// engine/node_run.hpp — one stage during one run: its context, its ends of the edges, what it is
// doing. Internal to the runner.
#pragma once

#include "engine/graph.hpp"
#include "engine/report.hpp"
#include "engine/stage.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bp::detail {

using Clock = std::chrono::steady_clock;

/// What the run owns and every stage may use.
struct RunResources {
  asio::any_io_executor io;
  BufferPool& pool;
  Reaper& reaper;
};

class NodeRun;

/// Called when a piece of work ended: without an error, or with one that is not yet recorded.
using Ended = std::function<void(NodeRun&, std::optional<Error>)>;

/// "60 s", "0.05 s": a deadline for people.
[[nodiscard]] std::string in_seconds(std::chrono::milliseconds time);

/// The stage's context (any thread where StageContext says so) and the runner's bookkeeping about
/// it (I/O thread only).
class NodeRun final : public StageContext {
 public:
  NodeRun(const Graph::Node& node, RunResources resources);

  [[nodiscard]] std::string_view name() const noexcept override { return node_->name; }
  [[nodiscard]] BufferPool& pool() const noexcept override { return resources_.pool; }
  [[nodiscard]] asio::any_io_executor io() const noexcept override { return resources_.io; }
  [[nodiscard]] Reaper& reaper() const noexcept override { return resources_.reaper; }
  [[nodiscard]] std::stop_token stop() const noexcept override { return stop_.get_token(); }
  void note(std::string key, std::string value) override;
  void warn(std::string text, std::vector<std::string> lines = {}) override;
  void add_cpu(std::chrono::nanoseconds used) override;

  [[nodiscard]] const Graph::Node& node() const noexcept { return *node_; }

  /// What the stage has told so far.
  struct Told {
    std::map<std::string, std::string> notes;
    std::vector<Warning> warnings;
    std::chrono::nanoseconds cpu;
  };
  [[nodiscard]] Told told() const;

  /// Asks the stage to end: its stop token, and cancellation of whatever its coroutine awaits.
  void ask_to_end();
  /// A fresh stop token for abort(), which runs uncancelled.
  void forget_stop() { stop_ = std::stop_source{}; }

  // The life of its stream, in the order in which these can become true.
  bool started = false;      ///< the transfer has begun
  bool returned = false;     ///< it said "that was all, and all is well"
  bool quarantined = false;  ///< it did not come back: nothing of it may be touched any more
  std::optional<Error> error;

  // The piece of work under way (one at a time), and until when the runner waits for it.
  bool running = false;
  bool asked = false;
  bool late = false;
  Ended ended;
  std::optional<std::chrono::milliseconds> limit;
  std::optional<Clock::time_point> cancel_at, complain_at, give_up_at;
  asio::cancellation_signal cancel;

  std::optional<Inlet> inlet;
  std::optional<Outlet> outlet;
  std::optional<Receipt> receipt;

 private:
  const Graph::Node* node_;
  RunResources resources_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  Told told_{};
};

}  // namespace bp::detail
