// stages/store/history.hpp — how large earlier backups were: for size hints, and to notice a
// shrunken one.
//
// One small file of JSON lines per job, replaced as a whole after each run, under the job's lock.
// It is a convenience: a line that makes no sense is forgotten, and no backup depends on it.
#pragma once

#include "engine/report.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

/// One source in one run.
struct SizeRecord {
  std::string run_id, source_id;
  std::chrono::system_clock::time_point ended;        ///< kept to the second
  std::uint64_t raw_bytes = 0;                        ///< what the source produced
  std::map<std::string, std::uint64_t> stored_bytes;  ///< by destination, committed ones only
  Outcome outcome = Outcome::failed;

  /// Stored wherever it was required: only then is its size one to compare with.
  [[nodiscard]] bool good() const noexcept;
};

/// The history of a job. One thread; waits for the disk.
class History {
 public:
  /// Reads the file, if there is one. Throws Errc::internal when it cannot be read.
  explicit History(std::filesystem::path file, std::size_t max_records = 400);

  /// Appends a record and forgets the oldest ones, though never the last good one of a source.
  /// Durable when it returns; throws Errc::internal.
  void add(SizeRecord record);
  /// Raw bytes of the source's last good run.
  [[nodiscard]] std::optional<std::uint64_t> last_good(std::string_view source_id) const;
  /// Oldest first.
  [[nodiscard]] const std::vector<SizeRecord>& records() const noexcept { return records_; }

 private:
  void forget_oldest();

  std::filesystem::path file_;
  std::size_t max_records_;
  std::vector<SizeRecord> records_;
};

}  // namespace bp::stages
