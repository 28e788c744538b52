#include "tools/commands/command.hpp"

#include <CLI/CLI.hpp>

namespace bp::tools {

void add_job_file(CLI::App& command, std::filesystem::path& file) {
  command.add_option("job", file, "The job file (TOML)")->required()->type_name("FILE");
}

void add_source_filter(CLI::App& command, std::vector<std::string>& ids) {
  command.add_option("--source", ids, "Only this source; may be given several times")
      ->type_name("ID")
      ->allow_extra_args(false);
}

}  // namespace bp::tools
