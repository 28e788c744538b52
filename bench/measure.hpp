// bench/measure.hpp — what a process has used, and what one run of a graph cost, as plain values.
#pragma once

#include "engine/report.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

struct rusage;

namespace bp::bench {

using Seconds = std::chrono::duration<double>;

/// CPU time and the largest resident size of a process (of the largest one, for a tree of them).
struct Usage {
  Seconds user{}, system{};
  std::uint64_t peak_rss_bytes = 0;

  [[nodiscard]] Seconds cpu() const { return user + system; }
};

/// From wait4() or getrusage().
[[nodiscard]] Usage usage_of(const rusage& used);
/// This process with the children it has waited for; its own peak is VmHWM, theirs is not in it.
[[nodiscard]] Usage usage_of_this_process();

/// One run of one graph.
struct Measurement {
  SourceReport report;
  Seconds wall{};
  Usage usage;  ///< of the whole process: measure one graph per process
  std::size_t plan_bytes = 0;
  std::size_t chunk_bytes = 0;

  [[nodiscard]] std::uint64_t bytes_in() const;   ///< what the source gave
  [[nodiscard]] std::uint64_t bytes_out() const;  ///< what the sink took
  /// Time in which a stage waited neither for input nor for room.
  [[nodiscard]] Seconds busy(const StageReport& stage) const;
  /// The stage that was busy longest: the others waited for it.
  [[nodiscard]] const StageReport& limiting_stage() const;
};

/// Bytes per second in MB/s (10^6), as disks and networks are rated. 0 for no time at all.
[[nodiscard]] double megabytes_per_second(std::uint64_t bytes, Seconds time);

/// The median; of an even number the mean of the middle two. Precondition: not empty.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace bp::bench
