// tools/output/progress.hpp — what a run is doing, from the engine's snapshots: numbers, then
// lines.
//
// Pure: no clock, no terminal. LiveView draws the lines, `--progress plain` and `json` print them.
#pragma once

#include "engine/run.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bp::tools {

/// One stage over the time between two snapshots. Rates are bytes per second, shares 0 to 1.
struct StageRates {
  std::string name;
  std::optional<double> in, out;  ///< none at the beginning and the end of a graph
  double waits_for_input = 0, waits_for_room = 0;
  std::optional<std::size_t> fill, slots;  ///< of the queue in front of it, in chunks

  [[nodiscard]] double busy() const;
};

/// One source while it runs.
class SourceProgress {
 public:
  /// `expected_bytes`: of the raw stream, by the last good run.
  SourceProgress(std::string id, std::optional<std::uint64_t> expected_bytes);

  /// The next snapshot; rates are those since the one before.
  void take(const Progress& now);

  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  [[nodiscard]] std::chrono::nanoseconds elapsed() const noexcept { return elapsed_; }
  [[nodiscard]] const std::vector<StageRates>& stages() const noexcept { return stages_; }
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return read_; }
  /// What has reached the destinations' ends; of several the one that has most.
  [[nodiscard]] std::uint64_t bytes_stored() const noexcept { return stored_; }
  /// The stage that the others wait for; null before there are rates.
  [[nodiscard]] const StageRates* limiting() const noexcept;
  /// How long it will still take at the average speed so far. None when no size is known, or it has
  /// been passed.
  [[nodiscard]] std::optional<std::chrono::seconds> remaining() const;

  /// A headline and a line per stage, the limiting one marked; each at most `width` columns.
  [[nodiscard]] std::vector<std::string> lines(std::size_t width) const;
  /// "etc: 12.3 GiB read, 4.1 GiB stored, 412 MB/s, limited by gzip"
  [[nodiscard]] std::string plain() const;
  /// One object, without a line break.
  [[nodiscard]] std::string json() const;

 private:
  std::string id_;
  std::optional<std::uint64_t> expected_;
  std::optional<Progress> before_;
  std::chrono::nanoseconds elapsed_{};
  std::uint64_t read_ = 0, stored_ = 0;
  std::vector<StageRates> stages_;
};

/// `text` cut to `width` columns of a terminal, counting a code point as one column.
[[nodiscard]] std::string fit(std::string_view text, std::size_t width);

}  // namespace bp::tools
