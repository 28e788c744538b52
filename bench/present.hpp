// bench/present.hpp — a measurement as a table, as JSON and as a chart.
#pragma once

#include "bench/measure.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace bp::bench {

/// Per stage MB/s, CPU and blocked time; then the limiting stage, the total and the memory.
[[nodiscard]] std::string measurement_text(const Measurement& measured);
/// The same figures for programs; `compare` and `sweep` read it from their children.
[[nodiscard]] std::string measurement_json(const Measurement& measured);
/// Per stage: busy, waiting for input, waiting for room.
[[nodiscard]] std::string measurement_svg(const Measurement& measured, const std::string& title);

/// What `compare` and `sweep` need of a child's JSON.
struct ReadMeasurement {
  std::uint64_t bytes_in = 0, bytes_out = 0;
  double seconds = 0;
  std::string limited_by;
};
/// Throws Errc::internal for text that measurement_json() cannot have written.
[[nodiscard]] ReadMeasurement read_measurement(std::string_view json);

/// Replaces `file`. Throws Errc::destination.
void write_file(const std::filesystem::path& file, std::string_view text);
/// The whole file. Throws Errc::source.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace bp::bench
