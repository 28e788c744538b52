#include "stages/support/token_bucket.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace bp::stages {

TokenBucket::TokenBucket(std::size_t rate, std::size_t burst)
    : rate_{static_cast<double>(rate)}, burst_time_{time_for(burst)} {}

std::chrono::nanoseconds TokenBucket::time_for(std::size_t bytes) const noexcept {
  // Rounded up, so that many small pieces are never faster than one big one. Beyond a month only a
  // typing error waits, and sums of times must not overflow.
  constexpr double a_month_of_ns = 30.0 * 86'400 * 1e9;
  const double ns = std::ceil(static_cast<double>(bytes) * 1e9 / rate_);
  return std::chrono::nanoseconds{static_cast<std::int64_t>(std::min(ns, a_month_of_ns))};
}

std::chrono::nanoseconds TokenBucket::take(std::size_t bytes, Time now) {
  // Instead of counting tokens: a rest earns at most burst_time_ of credit.
  paid_until_ = std::max(paid_until_, now - burst_time_) + time_for(bytes);
  return std::max(paid_until_ - now, std::chrono::nanoseconds{0});
}

}  // namespace bp::stages
