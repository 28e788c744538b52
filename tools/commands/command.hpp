// tools/commands/command.hpp — what every subcommand shares. One file per subcommand beside this
// one.
#pragma once

#include "stages/registry.hpp"
#include "tools/output/log.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace bp::tools {

/// The options that stand before or after any subcommand, and what subcommands work with.
struct Session {
  std::string log_level = "warn";
  LogFormat log_format = LogFormat::text;
  stages::Registry registry;
  /// Set by the subcommand that was chosen; returns the exit status. Throws Error.
  std::function<int()> action;
};

/// The job file, which every command takes first.
void add_job_file(CLI::App& command, std::filesystem::path& file);
/// --source ID, repeatable.
void add_source_filter(CLI::App& command, std::vector<std::string>& ids);

// Each adds its subcommand to the program; `session` outlives the parsing and the action.
void add_run(CLI::App& program, Session& session);
void add_check(CLI::App& program, Session& session);
void add_plan(CLI::App& program, Session& session);

}  // namespace bp::tools
