#include "bench/commands/command.hpp"

#include "config/units.hpp"

#include <CLI/CLI.hpp>

namespace bp::bench {

CLI::Option* add_size(CLI::App& command, const std::string& name, std::size_t& bytes,
                      const std::string& description) {
  const auto take = [&bytes](const std::string& text) {
    const auto size = config::parse_size(text);
    if (!size) throw CLI::ValidationError{"'" + text + "' is not a size such as 64MiB"};
    bytes = *size;
  };
  CLI::Option* option = command.add_option_function<std::string>(name, take, description);
  return option->default_str(config::format_bytes(bytes))->type_name("SIZE");
}

}  // namespace bp::bench
