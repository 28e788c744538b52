// stages/filters/unzstd.hpp — any zstd file back to what it was.
#pragma once

#include "engine/stage.hpp"
#include "stages/filters/zstd_memory.hpp"

#include <memory>

namespace bp::stages {

/// Decompresses a row of frames, whoever wrote them, and checks each against its checksum. Throws
/// Errc::transform for damage (with its place), for an end in the middle of a frame, for bytes
/// behind the last frame, for a window beyond 128 MiB, and for no input at all. `expected` is what
/// the memory demand is made for.
[[nodiscard]] std::unique_ptr<Filter> unzstd_filter(ZstdSettings expected);

}  // namespace bp::stages
