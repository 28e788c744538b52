// stages/run_job.hpp — runs the sources of a job: names, graphs, manifests, history.
#pragma once

#include "engine/run.hpp"
#include "stages/assemble.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

class History;
class Journal;

struct RunJobOptions {
  std::vector<std::string> only;  ///< source ids; empty: all
  bool preflight_only = false;    ///< --dry-run
  std::string version;            ///< of this program, for reports and manifests
  Journal* journal = nullptr;     ///< null: no state directory
  History* history = nullptr;
  std::stop_token stop;
  /// Called on the I/O thread: a few times a second per running source, and once per finished one.
  std::function<void(std::string_view source, const Progress&)> observe;
  std::function<void(const SourceReport&)> finished;
};

/// Runs every source in its own graph, `max_parallel` at once, each with its own outcome. Never
/// throws for a failed source. I/O thread; `job` and everything in `options` must outlive it.
[[nodiscard]] asio::awaitable<RunReport> run_job(const LoadedJob& job, RunIdentity identity,
                                                 RunJobOptions options);

/// Removes what earlier runs' journals say was left behind. Returns a line for each thing that
/// could not be removed; it stays in the journal. I/O thread.
[[nodiscard]] asio::awaitable<std::vector<std::string>> sweep_leftovers(const LoadedJob& job,
                                                                        Journal& journal,
                                                                        std::string_view run_id);

/// The sources with these ids, in the order of the file; all for an empty list. Throws Errc::config
/// for an id that the job does not have.
[[nodiscard]] std::vector<const config::SourceSection*> select_sources(
    const LoadedJob& job, const std::vector<std::string>& ids);

/// The memory plan of one source, with its share of the job's memory. Throws Errc::config.
[[nodiscard]] MemoryPlan plan_source(const LoadedJob& job, const Graph& graph);

}  // namespace bp::stages
