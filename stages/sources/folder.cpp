// stages/sources/folder.cpp — folders and files of this machine, as a tar archive.
#include "stages/registry.hpp"
#include "stages/sources/tar.hpp"

#include <fmt/format.h>

namespace bp::stages {

namespace {

bool is_inside(const std::string& path, const std::string& folder) {
  return folder == "/" || path == folder || path.starts_with(folder + "/");
}

void check_apart(config::OptionReader& options, const std::vector<std::string>& paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t k = 0; k < paths.size(); ++k) {
      if (i == k || !is_inside(paths[i], paths[k]) || (paths[i] == paths[k] && i < k)) continue;
      options.fail("paths", fmt::format("'{}' is inside '{}'", paths[i], paths[k]),
                   "It would be stored twice.");
    }
  }
}

/// `path` or `paths`, cleaned; empty after a problem was recorded.
std::vector<std::string> read_paths(config::OptionReader& options) {
  const bool several = options.has("paths");
  if (several && options.has("path")) {
    options.fail("path", "'path' and 'paths' exclude each other");
  }
  std::vector<std::string> paths = options.paths("paths");
  if (several) {
    options.accept("path");
    if (paths.empty()) options.fail("paths", "'paths' is empty");
  } else {
    paths = {options.path("path")};
  }
  for (std::string& path : paths) {
    const auto clean = clean_path(path);
    if (!clean) {
      if (!path.empty()) {
        options.fail(several ? "paths" : "path", fmt::format("'{}' contains '..'", path));
      }
      return {};
    }
    path = *clean;
  }
  if (several) check_apart(options, paths);
  return paths;
}

}  // namespace

void register_source_folder(Registry& registry) {
  registry.add_source("folder", [](config::OptionReader& options) {
    TarContent content{.paths = read_paths(options),
                       .exclude = options.list("exclude"),
                       .one_file_system = options.flag("one_file_system", false),
                       .xattrs = options.flag("xattrs", true),
                       .sparse = options.flag("sparse", false)};
    // tar says 1 when files changed while it read them: stored, but somebody should look.
    ProcessOptions process = read_process_options(options, {1});
    process.child.sudo = options.flag("sudo", false);
    process.child.environment = {{"LC_ALL", "C"}};  // its messages are read by TarSource
    SourceType type{.extension = ".tar", .argv = {}, .sudo_argv = {}, .make = {}};
    if (content.paths.empty()) return type;

    if (const auto pattern = self_excluding_pattern(content)) {
      options.fail("exclude", fmt::format("'{}' excludes the folder itself", *pattern),
                   "Patterns match names at every depth; begin it with a folder inside.");
    }
    if (process.child.sudo) {
      type.sudo_argv = tar_argv(content, find_program("tar").value_or("/usr/bin/tar"));
      type.argv = {"sudo", "-n", "--"};
      type.argv.insert(type.argv.end(), type.sudo_argv.begin(), type.sudo_argv.end());
    } else {
      type.argv = tar_argv(content, "tar");
    }
    process.child.argv = type.argv;
    type.make = [content, process](const BuildContext& context) {
      return std::make_unique<TarSource>(content, for_run(process, context));
    };
    return type;
  });
}

}  // namespace bp::stages
