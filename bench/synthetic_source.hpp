// bench/synthetic_source.hpp — deterministic data of a chosen compressibility, made as fast as
// memory allows.
#pragma once

#include "engine/stage.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace bp::bench {

/// What a synthetic stream consists of.
struct SyntheticContent {
  double ratio = 1;     ///< what a deflate compressor makes of it, from 1 (random) to 10
  bool repeat = false;  ///< the same block again and again, never filled anew: nothing but engine
};

/// "3.5" or "repeat". Throws Errc::config for anything else.
[[nodiscard]] SyntheticContent parse_synthetic(std::string_view text);

/// Fills `space` with data of that ratio. `position` is the stream's offset, a multiple of 4096:
/// the same position always gets the same bytes.
void fill_synthetic(std::span<std::byte> space, double ratio, std::uint64_t position);

/// A source of `bytes` bytes. A coroutine for `repeat`, else on a thread of its own.
[[nodiscard]] std::unique_ptr<Source> synthetic_source(SyntheticContent content,
                                                       std::uint64_t bytes);

}  // namespace bp::bench
