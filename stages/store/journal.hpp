// stages/store/journal.hpp — what a run may leave behind if the machine dies: written before it
// exists.
//
// One append-only file per job in the state directory, one line of JSON per event, fsynced: "begin"
// before each external create call, "end" when the thing is committed or gone. What has a begin and
// no end is swept by the next run. No payload, no secrets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace bp::stages {

struct JournalEntry {
  std::uint64_t id = 0;
  std::string run_id;
  std::string kind;     ///< "part-file", "gpg-home", "multipart-upload", …: who can sweep it
  std::string owner;    ///< the destination's or filter's name in the job file
  std::string locator;  ///< path, key, identifier
};

/// Any thread. Throws Errc::internal when a line cannot be made durable: then nothing may be
/// created.
class Journal {
 public:
  /// Opens or makes the file; keeps only what is still open of an old one (a torn last line is
  /// dropped). Of a damaged one it keeps what makes sense and leaves a copy beside it,
  /// FILE.damaged-TIME: a bad disk block must not stop backups for ever.
  Journal(std::filesystem::path file, std::string run_id);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// Durable when it returns: now the thing may be created.
  [[nodiscard]] std::uint64_t begin(std::string kind, std::string owner, std::string locator);
  /// Committed, or removed. Durable when it returns.
  void end(std::uint64_t id);
  /// What earlier runs (and this one) began and did not end.
  [[nodiscard]] std::vector<JournalEntry> open_entries() const;
  /// Lines of the old file that made no sense, for a warning: what they announced may be left
  /// behind.
  [[nodiscard]] std::vector<std::string> damaged_lines() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bp::stages
