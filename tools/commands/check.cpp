// tools/commands/check.cpp — backup-pipe check: is this job file right? Starts and contacts
// nothing.
#include "stages/assemble.hpp"
#include "stages/loaded_job.hpp"
#include "stages/run_job.hpp"
#include "tools/commands/command.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace bp::tools {

namespace {

std::string count_of(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

int check(const Session& session, const std::filesystem::path& file) {
  const stages::LoadedJob job = stages::load_job(file, session.registry);
  const auto now = std::chrono::system_clock::now();
  const stages::RunIdentity identity = stages::new_identity(job.spec().job, now);
  for (const config::SourceSection& source : job.spec().sources) {
    const auto objects = stages::object_names(job, source, identity);
    const stages::SourceGraph built = stages::assemble(job, source, identity, objects, {});
    [[maybe_unused]] const MemoryPlan plan = stages::plan_source(job, built.graph);
  }
  fmt::print("{}: ok, {} to {}\n", file.string(), count_of(job.spec().sources.size(), "source"),
             count_of(job.spec().destinations.size(), "destination"));
  return 0;
}

}  // namespace

void add_check(CLI::App& program, Session& session) {
  CLI::App* command = program.add_subcommand("check", "Check a job file; nothing is started");
  auto file = std::make_shared<std::filesystem::path>();
  add_job_file(*command, *file);
  command->footer("Example:\n  backup-pipe check /etc/backup-pipe/nightly.toml");
  command->callback(
      [&session, file] { session.action = [&session, file] { return check(session, *file); }; });
}

}  // namespace bp::tools
