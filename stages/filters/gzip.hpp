// stages/filters/gzip.hpp — gzip on all cores, and its undoing.
#pragma once

#include "engine/stage.hpp"

#include <cstddef>
#include <memory>

namespace bp::stages {

/// Compresses at `level` (1 fastest, 12 smallest) on at most `max_workers` threads, as many as the
/// plan grants memory for. Equal input gives equal output, whatever the number of threads.
[[nodiscard]] std::unique_ptr<Filter> gzip_filter(int level, std::size_t max_workers);

}  // namespace bp::stages
