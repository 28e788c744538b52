// stages/support/child_limits.hpp — when a child has kept us waiting for too long.
//
// Only our waiting for the child counts: a dump that is held up by a slow upload is not idle, it is
// being held up. So ChildProcess notes down which of its waits are under way, and since when; this
// decides.
#pragma once

#include "engine/error.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace bp::stages {

/// Pure: told facts and asked with a time, it waits for nothing and reads no clock.
class ChildLimits {
 public:
  using Clock = std::chrono::steady_clock;
  using Moment = Clock::time_point;
  using Limit = std::optional<std::chrono::milliseconds>;

  ChildLimits(std::string name, Limit idle, Limit total, Moment started);

  // Since when we wait for it to write, to read, to end; renewed whenever bytes have moved.
  std::optional<Moment> reading, feeding, ending;
  /// It is being fed: with nothing to read for it, it owes us nothing.
  bool fed = false;
  std::optional<Moment> ended;

  /// When to ask overdue() next; empty when there is no limit to keep.
  [[nodiscard]] std::optional<Moment> next_check(Moment now) const;
  /// Errc::timeout for a passed limit, Errc::source when somebody else keeps a dead child's output
  /// open.
  [[nodiscard]] std::optional<Error> overdue(Moment now) const;
  /// The Errc::source of the latter.
  [[nodiscard]] Error output_held() const;

 private:
  [[nodiscard]] std::optional<Moment> idle_since() const;
  [[nodiscard]] std::optional<Moment> output_held_since() const;

  std::string name_;
  Limit idle_, total_;
  Moment started_;
};

}  // namespace bp::stages
