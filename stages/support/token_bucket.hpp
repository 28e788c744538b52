// stages/support/token_bucket.hpp — how long to wait so that a rate holds: arithmetic without a
// clock.
#pragma once

#include <chrono>
#include <cstddef>

namespace bp::stages {

/// Allows `rate` bytes per second, and up to `burst` bytes at once after a rest. Several may share
/// one: each pays behind those who came before. One thread.
class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Full at the beginning. Precondition: `rate` is not zero.
  TokenBucket(std::size_t rate, std::size_t burst);

  /// Books `bytes` at once, even more than `burst`, and returns how long to wait before they may
  /// pass. `now` must not go back.
  [[nodiscard]] std::chrono::nanoseconds take(std::size_t bytes, Time now);

 private:
  [[nodiscard]] std::chrono::nanoseconds time_for(std::size_t bytes) const noexcept;

  const double rate_;
  const std::chrono::nanoseconds burst_time_;
  Time paid_until_ = Time::min();  ///< when all that was taken has had its time, at `rate`
};

}  // namespace bp::stages
