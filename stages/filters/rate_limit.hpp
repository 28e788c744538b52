// stages/filters/rate_limit.hpp — hands data on no faster than its buckets allow.
#pragma once

#include "engine/stage.hpp"
#include "stages/support/token_bucket.hpp"

#include <memory>
#include <vector>

namespace bp::stages {

/// Shared, because the destinations of a job draw from one bucket, in graphs that come and go side
/// by side (max_parallel), and no one of them lives as long as the others.
using SharedBucket = std::shared_ptr<TokenBucket>;

/// One second's worth of burst.
[[nodiscard]] SharedBucket bucket_of(std::size_t bytes_per_second);

/// Hands every chunk on as it is, after the longest of the waits that `buckets` ask for.
[[nodiscard]] std::unique_ptr<Filter> rate_limit_filter(std::vector<SharedBucket> buckets);

}  // namespace bp::stages
