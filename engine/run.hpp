// engine/run.hpp — runs one source's graph: preflight → transfer → barrier → commit | abort.
//
// Only the runner ends streams and decides about sinks, each by its own path. It is the one place
// that catches what stages throw. DESIGN.md tells the protocol; a failed run is a report, not an
// exception.
#pragma once

#include "engine/graph.hpp"
#include "engine/plan.hpp"
#include "engine/report.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bp {

/// A snapshot of a running graph, taken on the I/O thread.
struct Progress {
  struct Edge {
    std::string from, to;
    std::uint64_t bytes_pushed, bytes_popped;
    std::chrono::nanoseconds push_blocked, pop_blocked;
    std::size_t fill, slots;
  };
  std::chrono::steady_clock::duration elapsed;
  std::vector<Edge> edges;
  std::size_t chunks_in_use;
};

/// Called on the I/O thread a few times a second; the live view and the bench hang on it.
using Observer = std::function<void(const Progress&)>;

struct RunOptions {
  std::chrono::milliseconds stop_grace{10'000};  ///< TERM to KILL; stop request to complaint
  std::chrono::milliseconds abort_deadline{
      60'000};  ///< per sink; and for a stage that was told to end
  std::chrono::milliseconds preflight_deadline{60'000};
  std::chrono::milliseconds commit_deadline{900'000};
  // After a stop request everything has to be out of the way in ten seconds.
  std::chrono::milliseconds hurried_grace{3'000};
  std::chrono::milliseconds hurried_abort{4'000};
  std::chrono::milliseconds observe_every{250};

  bool preflight_only = false;  ///< ends after preflight: outcome stored means "could run"
  bool all_or_nothing = false;  ///< commit nowhere unless every sink can commit
  std::size_t min_success = 0;  ///< fewer copies than this is a failed source
  std::stop_token stop;         ///< a signal: stop everything, hurry; may be asked from any thread
  Observer observe;
};

/// Runs one source's graph to its end and reports. Never throws for a failed stage. I/O thread.
/// Waits for every stage, child and clean-up, or until their deadlines: what then still hangs is
/// quarantined (SourceReport::left_behind names it; its memory stays allocated; leave the process
/// by _Exit). Cancelling the caller does not end it: request a stop.
[[nodiscard]] asio::awaitable<SourceReport> run(Graph graph, MemoryPlan plan, RunOptions options);

}  // namespace bp
