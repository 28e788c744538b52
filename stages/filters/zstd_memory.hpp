// stages/filters/zstd_memory.hpp — what libzstd compresses with and how much memory that takes.
#pragma once

#include <cstddef>

namespace bp::stages {

struct ZstdSettings {
  int level = 3;             ///< 1 to 19
  bool long_window = false;  ///< match up to 128 MiB back
};

/// Input given to one worker at a time. libzstd's own choice (four windows) costs twice the memory
/// for a ratio that a wider overlap gives as well.
[[nodiscard]] std::size_t zstd_job_bytes(const ZstdSettings& settings);

/// Most that one compression holds with so many workers; 0: the calling thread compresses.
[[nodiscard]] std::size_t zstd_memory(const ZstdSettings& settings, std::size_t workers);

/// How far back a match of such a stream may reach: what a reader must hold.
[[nodiscard]] std::size_t zstd_window_bytes(const ZstdSettings& settings);

/// Most that one decompression of such a stream holds.
[[nodiscard]] std::size_t unzstd_memory(const ZstdSettings& settings);

/// The logarithm of the long window: the longest that `zstd -d` opens without being asked to.
constexpr int zstd_long_window_log = 27;

}  // namespace bp::stages
