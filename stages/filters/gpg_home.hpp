// stages/filters/gpg_home.hpp — a gpg home directory of our own, for one run.
//
// gpg writes lock files and an empty keyring into its home, and would obey the user's gpg.conf. So
// each filter gets a private folder on memory-backed storage, with a short path (an agent's socket
// name must fit 108 bytes), and leaves nothing behind.
#pragma once

#include "stages/store/journal.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace bp::stages {

/// The journal's word for such a folder.
inline constexpr std::string_view gpg_home_kind = "gpg-home";

/// Makes a folder "backup-pipe-gpg-XXXXXX", 0700, in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR or
/// /dev/shm, and removes it with all it holds when it goes. Journalled before it exists, if there
/// is a journal.
class GpgHome {
 public:
  /// Throws Errc::transform when none of the places can be used.
  GpgHome(Journal* journal, std::string owner);
  GpgHome(const GpgHome&) = delete;
  GpgHome& operator=(const GpgHome&) = delete;
  ~GpgHome();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  Journal* journal_;
  std::optional<std::uint64_t> entry_;
  std::filesystem::path path_;
};

/// Removes the folder that a journal entry names, if it is one of ours: its name, its owner, no
/// link. Throws Errc::transform when it is ours and cannot be removed.
void sweep_gpg_home(const JournalEntry& entry);

}  // namespace bp::stages
