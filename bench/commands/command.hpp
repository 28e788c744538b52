// bench/commands/command.hpp — what every subcommand shares. One file per subcommand beside this
// one.
#pragma once

#include "stages/registry.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace bp::bench {

/// What subcommands work with.
struct Session {
  stages::Registry registry;
  /// Set by the subcommand that was chosen; returns the exit status. Throws Error.
  std::function<int()> action;
};

/// An option that takes sizes as job files do: "4GiB", "64MB".
CLI::Option* add_size(CLI::App& command, const std::string& name, std::size_t& bytes,
                      const std::string& description);

// Each adds its subcommand to the program; `session` outlives the parsing and the action.
void add_pipeline(CLI::App& program, Session& session);
void add_sweep(CLI::App& program, Session& session);
void add_compare(CLI::App& program, Session& session);
void add_serve(CLI::App& program, Session& session);

}  // namespace bp::bench
