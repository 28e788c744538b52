// stages/store/state_directory.hpp — where a job keeps what it must remember: lock, journal,
// history.
//
// One folder per job, 0700, named after the job and the real path of its file, so that two jobs of
// one name do not share a lock. Holds no payload and no secrets.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bp::stages {

/// Looks up an environment variable; empty: not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// The environment of this process.
[[nodiscard]] Environment process_environment();

/// Where the state of a job is, or why it has no place.
struct StateFolder {
  std::optional<std::filesystem::path> path;  ///< exists, is ours and can be written to
  std::string reason;                         ///< without a path: what was tried, for a warning
};

/// Finds or makes the folder of a job below the first of these that can be used: $STATE_DIRECTORY
/// (and then no other, because somebody decided it), `system_folder`, $XDG_STATE_HOME/backup-pipe,
/// ~/.local/state/backup-pipe. `job_file` is a real path. Any thread; waits for the disk, throws
/// nothing.
[[nodiscard]] StateFolder job_state_folder(
    std::string_view job, const std::filesystem::path& job_file, const Environment& environment,
    const std::filesystem::path& system_folder = "/var/lib/backup-pipe");

/// "nightly-1f0c9a3e": the name of a job's folder.
[[nodiscard]] std::string job_folder_name(std::string_view job,
                                          const std::filesystem::path& job_file);

}  // namespace bp::stages
