// tools/commands/plan.cpp — backup-pipe plan: what a run would do, exactly, before anything is
// started.
#include "config/units.hpp"
#include "stages/assemble.hpp"
#include "stages/loaded_job.hpp"
#include "stages/run_job.hpp"
#include "tools/commands/command.hpp"
#include "tools/output/resolved.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace bp::tools {

namespace {

using Json = nlohmann::ordered_json;

struct PlanOptions {
  std::filesystem::path file;
  std::vector<std::string> sources;
  bool dot = false, json = false, sudoers = false, resolved = false;
};

/// One source with everything that is known about its run.
struct PlannedSource {
  const config::SourceSection* section;
  std::vector<stages::Route> routes;
  std::vector<stages::ObjectName> objects;
  stages::SourceGraph built;
  MemoryPlan memory;
};

std::vector<PlannedSource> plan_sources(const stages::LoadedJob& job,
                                        const std::vector<std::string>& only) {
  const auto now = std::chrono::system_clock::now();
  const stages::RunIdentity identity = stages::new_identity(job.spec().job, now);
  std::vector<PlannedSource> planned;
  for (const config::SourceSection* section : stages::select_sources(job, only)) {
    auto objects = stages::object_names(job, *section, identity);
    stages::SourceGraph built = stages::assemble(job, *section, identity, objects, {});
    MemoryPlan memory = stages::plan_source(job, built.graph);
    planned.push_back({section, job.routes_of(*section), std::move(objects), std::move(built),
                       std::move(memory)});
  }
  return planned;
}

/// An argument as a shell would need it: for reading and pasting, nothing here goes through a
/// shell.
std::string quoted(const std::string& argument) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
  if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) return argument;
  std::string text = "'";
  for (const char c : argument) c == '\'' ? text += "'\\''" : text += c;
  return text + "'";
}

std::string command_line(const std::vector<std::string>& argv) {
  std::vector<std::string> words;
  for (const std::string& argument : argv) words.push_back(quoted(argument));
  return fmt::format("{}", fmt::join(words, " "));
}

void print_text(const stages::LoadedJob& job, const std::vector<PlannedSource>& planned) {
  const config::JobSettings& settings = job.spec().job;
  fmt::print("job {} on {}, {} of memory", settings.name, settings.hostname,
             config::format_bytes(settings.memory_bytes));
  if (settings.max_parallel > 1) fmt::print(" for {} sources at once", settings.max_parallel);
  fmt::print("\n");
  for (const PlannedSource& source : planned) {
    fmt::print("\nsource {} ({})\n", source.section->id, source.section->type);
    const stages::SourceType& type = job.source_type(source.section->id);
    if (!type.argv.empty()) fmt::print("  runs      {}\n", command_line(type.argv));
    for (std::size_t i = 0; i < source.routes.size(); ++i) {
      const stages::Route& route = source.routes[i];
      std::vector<std::string> path{source.section->id};
      path.insert(path.end(), route.filters.begin(), route.filters.end());
      path.push_back(route.destination->id);
      fmt::print("  path      {}{}\n", fmt::join(path, " → "),
                 route.destination->required ? "" : " (optional)");
      for (const std::string& filter : route.filters) {
        const std::vector<std::string>& argv = job.filter_type(filter).argv;
        if (!argv.empty()) fmt::print("    {} runs {}\n", filter, command_line(argv));
      }
      fmt::print("  object    {}\n",
                 job.store(route.destination->id).location(source.objects[i].name));
    }
    fmt::print("  memory\n{}", source.memory.table());
  }
}

Json route_json(const stages::LoadedJob& job, const stages::Route& route,
                const stages::ObjectName& object) {
  Json filters = Json::array();
  for (const std::string& name : route.filters) {
    filters.push_back({{"name", name}, {"argv", job.filter_type(name).argv}});
  }
  return {{"destination", route.destination->id},
          {"required", route.destination->required},
          {"filters", std::move(filters)},
          {"object", object.name},
          {"location", job.store(route.destination->id).location(object.name)}};
}

Json memory_json(const MemoryPlan& memory) {
  Json rows = Json::array();
  for (const MemoryPlan::Row& row : memory.rows) {
    rows.push_back(
        {{"name", row.name}, {"chunks", row.chunks}, {"library_bytes", row.library_bytes}});
  }
  return {{"chunk_bytes", memory.chunk_bytes},
          {"chunks", memory.chunks},
          {"library_bytes", memory.library_bytes},
          {"total_bytes", memory.total_bytes()},
          {"rows", std::move(rows)}};
}

void print_json(const stages::LoadedJob& job, const std::vector<PlannedSource>& planned) {
  Json sources = Json::array();
  for (const PlannedSource& source : planned) {
    Json routes = Json::array();
    for (std::size_t i = 0; i < source.routes.size(); ++i) {
      routes.push_back(route_json(job, source.routes[i], source.objects[i]));
    }
    sources.push_back({{"id", source.section->id},
                       {"type", source.section->type},
                       {"argv", job.source_type(source.section->id).argv},
                       {"routes", std::move(routes)},
                       {"memory", memory_json(source.memory)}});
  }
  const config::JobSettings& settings = job.spec().job;
  const Json plan{{"job", settings.name},
                  {"hostname", settings.hostname},
                  {"memory_bytes", settings.memory_bytes},
                  {"sources", std::move(sources)}};
  fmt::print("{}\n", plan.dump(2, ' ', false, Json::error_handler_t::replace));
}

/// The exact lines for /etc/sudoers.d: a rule without arguments would be root for anybody who can
/// use it.
void print_sudoers(const stages::LoadedJob& job, const std::vector<PlannedSource>& planned) {
  std::string lines;
  for (const PlannedSource& source : planned) {
    const std::vector<std::string>& argv = job.source_type(source.section->id).sudo_argv;
    if (argv.empty()) continue;
    std::vector<std::string> escaped;
    for (const std::string& argument : argv) {
      std::string text;
      for (const char c : argument) {
        if (std::string_view{",:=\\ \t*?[]!"}.find(c) != std::string_view::npos) text += '\\';
        text += c;
      }
      escaped.push_back(std::move(text));
    }
    lines += fmt::format("# source {}\n%USER% ALL=(root) NOPASSWD: {}\n", source.section->id,
                         fmt::join(escaped, " "));
  }
  if (lines.empty()) {
    throw Error{Errc::config, "no source of this job has sudo = true"};
  }
  fmt::print("# Replace %USER% by the user that runs the job; check with: visudo -cf FILE\n{}",
             lines);
}

int plan(const Session& session, const PlanOptions& options) {
  const stages::LoadedJob job = stages::load_job(options.file, session.registry);
  if (options.resolved) {
    fmt::print("{}", resolved_text(job));
    return 0;
  }
  const std::vector<PlannedSource> planned = plan_sources(job, options.sources);
  if (options.dot) {
    for (const PlannedSource& source : planned) fmt::print("{}", to_dot(source.built.graph));
  } else if (options.json) {
    print_json(job, planned);
  } else if (options.sudoers) {
    print_sudoers(job, planned);
  } else {
    print_text(job, planned);
  }
  return 0;
}

}  // namespace

void add_plan(CLI::App& program, Session& session) {
  CLI::App* command = program.add_subcommand(
      "plan",
      "Show what a run would do: commands, paths, object names, memory; nothing is started");
  auto options = std::make_shared<PlanOptions>();
  add_job_file(*command, options->file);
  add_source_filter(*command, options->sources);
  auto* form = command->add_option_group("form");
  form->add_flag("--dot", options->dot, "The graphs, for Graphviz");
  form->add_flag("--json", options->json, "For programs");
  form->add_flag("--sudoers", options->sudoers, "The sudoers lines for sources with sudo = true");
  form->add_flag("--resolved", options->resolved,
                 "Every setting, its value and where it comes from");
  form->require_option(0, 1);
  command->footer(
      "Examples:\n"
      "  backup-pipe plan nightly.toml\n"
      "  backup-pipe plan nightly.toml --dot | dot -Tsvg > nightly.svg\n"
      "  backup-pipe plan nightly.toml --sudoers | sed s/%USER%/backups/ > "
      "/etc/sudoers.d/backup-pipe");
  command->callback([&session, options] {
    session.action = [&session, options] { return plan(session, *options); };
  });
}

}  // namespace bp::tools
