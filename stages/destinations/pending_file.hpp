// stages/destinations/pending_file.hpp — a file that does not have its name yet, and how it gets
// it.
//
// Unnamed (O_TMPFILE) where the file system can do that: then a kill at any moment leaves nothing.
// Else it is called ".NAME.RUN.part" and the journal knows it before it exists. Folders are passed
// in as descriptors, because they may have to be made anew between the calls. Errors are errno
// values: ENOENT means that the folder was removed meanwhile, and the caller may make it again.
#pragma once

#include "stages/destinations/file.hpp"
#include "stages/store.hpp"
#include "stages/support/unique_fd.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace bp::stages {

class Journal;

/// One file. Not for several threads. The destructor lets go of an unnamed file and leaves a named
/// one.
class PendingFile {
 public:
  struct Names {
    std::string leaf;  ///< the final name
    std::string part;  ///< the hidden one
    /// What the journal is told about the part file. Without a journal nothing is recorded.
    Journal* journal = nullptr;
    std::string owner, locator;
  };
  explicit PendingFile(Names names) : names_{std::move(names)} {}

  /// Makes an empty file in the folder. Throws Errc::internal when the journal cannot be written.
  [[nodiscard]] int open(int folder, Temporary temporary);
  [[nodiscard]] int fd() const noexcept { return file_.get(); }
  [[nodiscard]] bool is_unnamed() const noexcept { return unnamed_; }
  /// Closes the descriptor and tells what the file system says to that. An unnamed file without its
  /// final name is gone then.
  [[nodiscard]] int finish() noexcept;

  /// Gives it its final name. EEXIST: there is one already and `replace` is false, or it is no
  /// regular file. Throws as open().
  [[nodiscard]] int publish(int folder, bool replace);
  /// Undoes publish(): the name is free again, or the old object's again. Where the file system can
  /// only overwrite, the new object stays. 0 if there is nothing to undo.
  [[nodiscard]] int take_back(int folder) noexcept;
  /// Removes the hidden name, and with it the new object or the one it replaced. Throws as open().
  [[nodiscard]] int drop_part(int folder);

 private:
  enum class Shown : std::uint8_t { no, fresh, swapped, overwritten };

  void announce_part();
  [[nodiscard]] int link_unnamed(int folder, const std::string& name) const noexcept;
  [[nodiscard]] int rename_part(int folder) noexcept;
  [[nodiscard]] int swap_part(int folder) noexcept;

  Names names_;
  UniqueFd file_;
  Shown shown_ = Shown::no;
  bool unnamed_ = false;
  bool has_part_ = false;  ///< the hidden name may exist, and is ours
  std::optional<std::uint64_t> journalled_;
};

}  // namespace bp::stages
