// stages/sources/command.cpp — any program that prints a backup. Started as it is written: never by
// a shell.
#include "stages/registry.hpp"
#include "stages/sources/extension.hpp"
#include "stages/sources/process.hpp"

namespace bp::stages {

void register_source_command(Registry& registry) {
  registry.add_source("command", [](config::OptionReader& options) {
    ProcessOptions process = read_process_options(options, {});
    process.child.argv = options.argv("argv");
    process.child.environment = options.environment("env");
    if (options.has("working_directory")) {
      process.child.working_directory = options.path("working_directory");
    } else {
      options.accept("working_directory");
    }
    return SourceType{.extension = read_extension(options),
                      .argv = process.child.argv,
                      .sudo_argv = {},
                      .make = [process](const BuildContext& context) {
                        return std::make_unique<ProcessSource>(for_run(process, context));
                      }};
  });
}

}  // namespace bp::stages
