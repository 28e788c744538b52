// stages/filters/zstd.hpp — zstd on all cores: one frame with a content checksum.
#pragma once

#include "engine/stage.hpp"
#include "stages/filters/zstd_memory.hpp"

#include <cstddef>
#include <memory>

namespace bp::stages {

/// Compresses on at most `max_workers` threads of libzstd, as many as the plan grants memory for;
/// with room for fewer than two it compresses on the stage's own thread. Nothing in gives a frame
/// of nothing.
[[nodiscard]] std::unique_ptr<Filter> zstd_filter(ZstdSettings settings, std::size_t max_workers);

}  // namespace bp::stages
