// config/units.hpp — sizes and durations as people write and read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bp::config {

/// "64MiB", "1.5 GB", "512k", "4096": powers of 1024 with an i (KiB), of 1000 without (kB, MB).
/// Nothing for anything else, and for what does not fit 63 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// "90s", "5m", "2h30m", "1d", "1w", "250ms" is refused: whole seconds only. A bare number is
/// seconds.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// "1.5 GiB", "312 bytes".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

/// "2h 30m", "45s", "1d 2h": the two largest units.
[[nodiscard]] std::string format_duration(std::chrono::seconds duration);

}  // namespace bp::config
