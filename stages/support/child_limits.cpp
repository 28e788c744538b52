#include "stages/support/child_limits.hpp"

#include "config/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bp::stages {

namespace {

/// What a dead child's heirs may take to finish writing before we call its output endless.
constexpr std::chrono::seconds held_output_limit{5};

std::string text_of(std::chrono::milliseconds limit) {
  using namespace std::chrono_literals;
  if (limit % 1s != 0s) return fmt::format("{}ms", limit.count());
  return config::format_duration(std::chrono::duration_cast<std::chrono::seconds>(limit));
}

}  // namespace

ChildLimits::ChildLimits(std::string name, Limit idle, Limit total, Moment started)
    : name_{std::move(name)}, idle_{idle}, total_{total}, started_{started} {}

std::optional<ChildLimits::Moment> ChildLimits::idle_since() const {
  if (ending) return ended ? std::nullopt : ending;
  if (!reading) return std::nullopt;
  if (!fed) return reading;
  if (!feeding) return std::nullopt;
  return std::max(*reading, *feeding);
}

std::optional<ChildLimits::Moment> ChildLimits::output_held_since() const {
  if (!ended || !reading) return std::nullopt;
  return std::max(*ended, *reading);
}

std::optional<ChildLimits::Moment> ChildLimits::next_check(Moment now) const {
  std::optional<Moment> next;
  const auto at = [&next](Moment moment) { next = next ? std::min(*next, moment) : moment; };
  // A wait that begins later than now cannot be overdue earlier than now + its limit.
  if (total_ && !ended) at(started_ + *total_);
  if (idle_ && !ended) at(idle_since().value_or(now) + *idle_);
  if (ended && !ending) at(output_held_since().value_or(now) + held_output_limit);
  return next;
}

Error ChildLimits::output_held() const {
  return {Errc::source, fmt::format("'{}' exited but something still holds its output open", name_),
          "It left a process behind; run that one with its output sent elsewhere."};
}

std::optional<Error> ChildLimits::overdue(Moment now) const {
  if (total_ && !ended && now >= started_ + *total_) {
    return Error{Errc::timeout, fmt::format("'{}' did not end within {}", name_, text_of(*total_)),
                 "Raise its time limit if it needs so long."};
  }
  const auto idle = idle_since();
  if (idle_ && idle && !ended && now >= *idle + *idle_) {
    const std::string limit = text_of(*idle_);
    if (ending) {
      return Error{Errc::timeout,
                   fmt::format("'{}' ended its output and then did not exit for {}", name_, limit)};
    }
    return Error{Errc::timeout, fmt::format("no output for {} from '{}'", limit, name_),
                 "Look for a lock or a network that it waits for, or raise its idle limit."};
  }
  const auto held = output_held_since();
  if (held && now >= *held + held_output_limit) {
    return output_held();
  }
  return std::nullopt;
}

}  // namespace bp::stages
