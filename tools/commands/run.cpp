// tools/commands/run.cpp — backup-pipe run: one backup of everything in a job file.
#include "config/units.hpp"
#include "stages/run_job.hpp"
#include "stages/store/history.hpp"
#include "tools/commands/command.hpp"
#include "tools/job_state.hpp"
#include "tools/output/progress_printer.hpp"
#include "tools/output/report_json.hpp"
#include "tools/output/summary.hpp"
#include "tools/stop_on_signal.hpp"
#include "tools/version.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

// g++ 12 takes the inlined operator delete of a coroutine frame for the mate of another operator
// new.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace bp::tools {

namespace {

namespace asio = boost::asio;

struct RunCommand {
  std::filesystem::path file;
  std::vector<std::string> sources;
  bool dry_run = false;
  bool warnings_ok = false;
  bool summary = false;
  std::string report_file;
  std::string wait = "0";
  std::string progress = "auto";
};

constexpr int already_running = 5;
constexpr int report_not_written = 1;

void log_finished(const SourceReport& source) {
  switch (source.outcome) {
    case Outcome::stored:
      spdlog::info("{}", headline(source));
      break;
    case Outcome::stored_with_warnings:
      spdlog::warn("{}", headline(source));
      break;
    default:
      spdlog::error("{}", headline(source));
      break;
  }
  if (source.cause && !source.cause->hint().empty())
    spdlog::error("{}: {}", source.id, source.cause->hint());
  for (const SinkReport& sink : source.sinks) {
    if (sink.receipt) spdlog::info("{}: stored {}", source.id, sink.receipt->location);
  }
  for (const Warning& warning : source.warnings) {
    spdlog::warn("{}: {}: {}", source.id, warning.stage, warning.text);
    for (const std::string& line : warning.lines) spdlog::info("{}: {}", source.id, line);
  }
  for (const std::string& left : source.left_behind)
    spdlog::error("{}: left behind: {}", source.id, left);
}

/// Everything of one run on the I/O thread, from the lock to the report.
asio::awaitable<RunReport> run_everything(const stages::LoadedJob& job, const RunCommand& command,
                                          stages::RunIdentity identity, StopOnSignal& signals) {
  const auto patience = config::parse_duration(command.wait).value_or(std::chrono::seconds{0});
  JobState state = co_await take_job_state(job, identity.run_id, patience, signals.token());

  std::vector<std::string> warnings = state.warnings;
  if (state.journal) {
    std::vector<std::string> problems =
        co_await stages::sweep_leftovers(job, *state.journal, identity.run_id);
    warnings.insert(warnings.end(), problems.begin(), problems.end());
  }
  for (const std::string& warning : warnings) spdlog::warn("{}", warning);

  stages::RunJobOptions options;
  options.only = command.sources;
  options.preflight_only = command.dry_run;
  options.version = version;
  options.journal = state.journal.get();
  options.history = state.history.get();
  options.stop = signals.token();
  ProgressPrinter progress{*progress_mode(command.progress), [&state](const std::string& source) {
                             return state.history ? state.history->last_good(source) : std::nullopt;
                           }};
  options.observe = [&progress](std::string_view source, const Progress& now) {
    progress.observe(source, now);
  };
  options.finished = [&progress](const SourceReport& source) {
    progress.finish(source.id);
    log_finished(source);
  };
  RunReport report = co_await stages::run_job(job, std::move(identity), std::move(options));
  report.warnings.insert(report.warnings.begin(), warnings.begin(), warnings.end());
  co_return report;
}

void print_dry_run(const RunReport& report) {
  for (const SourceReport& source : report.sources) {
    const bool ready =
        source.outcome == Outcome::stored || source.outcome == Outcome::stored_with_warnings;
    fmt::print("{}: {}\n", source.id,
               ready          ? "ready"
               : source.cause ? source.cause->what()
                              : "not ready");
  }
}

int exit_status_of(const RunReport& report, const RunCommand& command, const stages::LoadedJob& job,
                   int signal_number) {
  const bool warnings_ok = command.warnings_ok || job.spec().job.warnings_ok;
  if (!command.dry_run) return exit_status(report, signal_number, warnings_ok);
  // Nothing starts in a dry run, so a refusal is all that can be wrong.
  const bool refused = std::ranges::any_of(report.sources, [](const SourceReport& source) {
    return source.outcome != Outcome::stored && source.outcome != Outcome::stored_with_warnings;
  });
  return signal_number != 0 ? 128 + signal_number : refused ? 2 : 0;
}

int run(const Session& session, const RunCommand& command) {
  const stages::LoadedJob job = stages::load_job(command.file, session.registry);
  // They are in our memory now. Libraries start helper programs with our whole environment.
  for (const std::string& name : job.spec().environment_secrets) ::unsetenv(name.c_str());
  (void)stages::select_sources(job, command.sources);  // a misspelt --source is a usage error
  stages::RunIdentity identity =
      stages::new_identity(job.spec().job, std::chrono::system_clock::now());
  set_up_log(session.log_level, session.log_format, identity.run_id);

  asio::io_context io{1};
  StopOnSignal signals{io};
  std::optional<RunReport> finished;
  std::exception_ptr failure;
  asio::co_spawn(io, run_everything(job, command, std::move(identity), signals),
                 [&](std::exception_ptr thrown, RunReport report) {
                   failure = thrown;
                   finished = std::move(report);
                   signals.end();
                   io.stop();
                 });
  io.run();
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const AlreadyRunning& other) {
    spdlog::error("{}", other.message);
    return already_running;
  }

  int status = exit_status_of(*finished, command, job, signals.number());
  if (!command.report_file.empty()) {
    try {
      write_report(command.report_file, report_json(*finished, status));
    } catch (const Error& error) {
      log_error(error);
      if (status == 0) status = report_not_written;
    }
  }
  if (command.dry_run) {
    print_dry_run(*finished);
  } else if (command.summary || ::isatty(STDOUT_FILENO) != 0) {
    fmt::print("{}", summary(*finished, job.spec()));
  }
  // A stage that never came back still uses its memory: nothing may be destroyed under it.
  std::fflush(nullptr);
  if (status == 6) std::_Exit(status);
  return status;
}

}  // namespace

void add_run(CLI::App& program, Session& session) {
  CLI::App* command = program.add_subcommand("run", "Back up everything in a job file");
  auto options = std::make_shared<RunCommand>();
  add_job_file(*command, options->file);
  add_source_filter(*command, options->sources);
  command->add_flag("--dry-run", options->dry_run,
                    "Do everything up to the first byte: secrets, programs, destinations");
  command->add_option("--report", options->report_file, "Write what happened as JSON; - is stdout")
      ->type_name("FILE");
  command->add_flag("--summary", options->summary,
                    "Print a summary even when standard output is no terminal");
  command
      ->add_option("--progress", options->progress,
                   "What is under way, on standard error: live, plain (a line a minute), json (an "
                   "object a second), off; auto is live on a terminal")
      ->type_name("MODE")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "live", "plain", "json", "off"}));
  command->add_flag("--warnings-ok", options->warnings_ok, "Exit 0 instead of 3 for warnings");
  command->add_option("--wait", options->wait, "Wait so long for another run of the same job")
      ->type_name("DURATION")
      ->check([](const std::string& text) {
        return config::parse_duration(text) ? "" : "not a duration, like 90s or 5m: " + text;
      });
  command->footer(
      "Silent when all went well and nobody looks; errors go to standard error.\n\n"
      "Examples:\n"
      "  backup-pipe run /etc/backup-pipe/nightly.toml\n"
      "  backup-pipe run nightly.toml --source etc --log-level info\n"
      "  backup-pipe run nightly.toml --report /run/backup-pipe/nightly.json");
  command->callback([&session, options] {
    session.action = [&session, options] { return run(session, *options); };
  });
}

}  // namespace bp::tools
