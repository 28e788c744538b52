// stages/support/utc_time.hpp — moments as text: ISO 8601 in UTC, to the second.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace bp::stages {

/// "2026-11-23T02:00:00Z".
[[nodiscard]] std::string utc_text(std::chrono::system_clock::time_point moment);

/// The inverse; empty for anything that utc_text() would not write.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_utc(
    const std::string& text);

}  // namespace bp::stages
