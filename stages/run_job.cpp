#include "stages/run_job.hpp"

#include "config/suggest.hpp"
#include "stages/object_naming.hpp"
#include "stages/store/history.hpp"
#include "stages/store_manifests.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bp::stages {

namespace {

/// Stage names from a sink's source to the sink, for every copy of a graph.
std::vector<std::vector<std::string>> paths_of(const SourceGraph& built) {
  std::vector<std::vector<std::string>> paths;
  for (const SourceGraph::Copy& copy : built.copies) {
    const auto& nodes = built.graph.nodes();
    const auto sink = std::ranges::find(nodes, copy.destination, &Graph::Node::name);
    std::vector<std::string> names;
    for (const std::size_t node :
         built.graph.path_to(static_cast<std::size_t>(sink - nodes.begin()))) {
      names.insert(names.begin(), nodes[node].name);
    }
    paths.push_back(std::move(names));
  }
  return paths;
}

class JobRun {
 public:
  JobRun(const LoadedJob& job, RunIdentity identity, RunJobOptions options)
      : job_{job},
        identity_{std::move(identity)},
        options_{std::move(options)},
        sources_{select_sources(job, options_.only)},
        reports_(sources_.size()),
        bandwidth_{job_bandwidth(job.spec().job)} {}

  asio::awaitable<RunReport> run() {
    const auto io = co_await asio::this_coro::executor;
    Bell bell{io};
    std::size_t working = std::min(job_.spec().job.max_parallel, sources_.size());
    for (std::size_t i = working; i > 0; --i) {
      asio::co_spawn(io, work(), [this, &working, &bell](std::exception_ptr thrown) {
        if (thrown) fatal_ = thrown;
        --working;
        bell.ring();
      });
    }
    while (working > 0) {
      bell.arm();
      co_await bell.wait();
    }
    if (fatal_) std::rethrow_exception(fatal_);
    co_return report();
  }

 private:
  /// Takes the next source until none is left; `max_parallel` of these run side by side.
  asio::awaitable<void> work() {
    while (next_ < sources_.size()) {
      const std::size_t index = next_++;
      SourceReport report = co_await run_one(*sources_[index]);
      if (options_.finished) options_.finished(report);
      reports_[index] = std::move(report);
    }
  }

  asio::awaitable<SourceReport> run_one(const config::SourceSection& source) {
    SourceReport report;
    report.began = report.ended = std::chrono::system_clock::now();
    if (options_.stop.stop_requested()) {
      report.outcome = Outcome::cancelled;
    } else {
      try {
        report = co_await run_source(source);
      } catch (const Error& error) {
        // Before the graph ran: names that exist, a plan that does not fit. Nothing was started.
        report.cause = error;
        report.ended = std::chrono::system_clock::now();
      }
    }
    report.id = source.id;
    report.display_name = source.display_name;
    report.kind = source.type;
    co_return report;
  }

  asio::awaitable<SourceReport> run_source(const config::SourceSection& source) {
    const std::vector<ObjectName> objects = co_await settle_names(job_, source, identity_);
    AssembleOptions how;
    how.journal = options_.journal;
    how.bandwidth = bandwidth_;
    how.replace_existing = job_.spec().job.on_exists == config::OnExists::replace;
    if (options_.history != nullptr) how.expected_bytes = options_.history->last_good(source.id);
    SourceGraph built = assemble(job_, source, identity_, objects, how);
    MemoryPlan plan = plan_source(job_, built.graph);
    const std::vector<std::vector<std::string>> paths = paths_of(built);

    RunOptions run_options = options_for(source);
    SourceReport report =
        co_await bp::run(std::move(built.graph), std::move(plan), std::move(run_options));
    if (options_.preflight_only || !report.started) co_return report;

    const ManifestContext context{job_,  source,           identity_, built.copies,
                                  paths, built.raw_digest, report,    options_.version};
    const std::vector<std::string> problems = co_await store_manifests(context);
    for (const std::string& problem : problems) {
      report.warnings.push_back({.stage = "manifest", .text = problem, .lines = {}});
      if (report.outcome == Outcome::stored) report.outcome = Outcome::stored_with_warnings;
    }
    remember(source, report, built);
    co_return report;
  }

  RunOptions options_for(const config::SourceSection& source) const {
    const config::JobSettings& settings = job_.spec().job;
    RunOptions run_options;
    run_options.preflight_only = options_.preflight_only;
    run_options.all_or_nothing = source.all_or_nothing.value_or(settings.all_or_nothing);
    run_options.min_success = source.min_success.value_or(settings.min_success);
    run_options.stop = options_.stop;
    if (options_.observe) {
      run_options.observe = [observe = options_.observe, id = source.id](const Progress& progress) {
        observe(id, progress);
      };
    }
    return run_options;
  }

  void remember(const config::SourceSection& source, SourceReport& report,
                const SourceGraph& built) {
    if (options_.history == nullptr) return;
    SizeRecord record;
    record.run_id = identity_.run_id;
    record.source_id = source.id;
    record.ended = report.ended;
    record.outcome = report.outcome;
    if (const StageReport* raw = report.find_stage(built.raw_digest))
      record.raw_bytes = raw->bytes_in;
    for (const SinkReport& sink : report.sinks) {
      if (sink.receipt) record.stored_bytes[sink.name] = sink.receipt->bytes;
    }
    try {
      options_.history->add(std::move(record));
    } catch (const Error& error) {
      report.warnings.push_back({.stage = "history", .text = error.what(), .lines = {}});
      if (report.outcome == Outcome::stored) report.outcome = Outcome::stored_with_warnings;
    }
  }

  RunReport report() {
    RunReport run_report;
    run_report.run_id = identity_.run_id;
    run_report.job = job_.spec().job.name;
    run_report.hostname = job_.spec().job.hostname;
    run_report.version = options_.version;
    run_report.began = identity_.began;
    run_report.ended = std::chrono::system_clock::now();
    run_report.sources = std::move(reports_);
    return run_report;
  }

  const LoadedJob& job_;
  const RunIdentity identity_;
  const RunJobOptions options_;
  const std::vector<const config::SourceSection*> sources_;
  std::vector<SourceReport> reports_;
  const SharedBucket bandwidth_;
  std::size_t next_ = 0;
  std::exception_ptr fatal_;
};

}  // namespace

asio::awaitable<RunReport> run_job(const LoadedJob& job, RunIdentity identity,
                                   RunJobOptions options) {
  JobRun job_run{job, std::move(identity), std::move(options)};
  co_return co_await job_run.run();
}

std::vector<const config::SourceSection*> select_sources(const LoadedJob& job,
                                                         const std::vector<std::string>& ids) {
  const std::vector<config::SourceSection>& all = job.spec().sources;
  std::vector<std::string_view> known;
  for (const config::SourceSection& source : all) known.emplace_back(source.id);
  for (const std::string& id : ids) {
    if (std::ranges::find(known, id) != known.end()) continue;
    const auto nearest = config::nearest_name(id, known);
    throw Error{Errc::config, fmt::format("the job has no source '{}'", id),
                nearest ? fmt::format("Did you mean '{}'?", *nearest) : ""};
  }
  std::vector<const config::SourceSection*> selected;
  for (const config::SourceSection& source : all) {
    if (ids.empty() || std::ranges::find(ids, source.id) != ids.end()) selected.push_back(&source);
  }
  return selected;
}

MemoryPlan plan_source(const LoadedJob& job, const Graph& graph) {
  const config::JobSettings& settings = job.spec().job;
  const std::size_t at_once = std::min(settings.max_parallel, job.spec().sources.size());
  return plan_memory(graph, settings.chunk_bytes,
                     settings.memory_bytes / std::max<std::size_t>(at_once, 1));
}

}  // namespace bp::stages
