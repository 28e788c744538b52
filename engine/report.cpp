#include "engine/report.hpp"

#include <algorithm>

namespace bp {

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::stored:
      return "stored";
    case Outcome::stored_with_warnings:
      return "stored_with_warnings";
    case Outcome::partly_stored:
      return "partly_stored";
    case Outcome::failed:
      return "failed";
    case Outcome::cancelled:
      return "cancelled";
  }
  return "failed";
}

const StageReport* SourceReport::find_stage(std::string_view wanted) const noexcept {
  const auto found = std::ranges::find(stages, wanted, &StageReport::name);
  return found == stages.end() ? nullptr : &*found;
}

std::size_t SourceReport::committed() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      sinks, [](const SinkReport& sink) { return sink.receipt.has_value(); }));
}

int exit_status(const RunReport& report, int signal_number, bool warnings_ok) {
  const auto any_source = [&report](auto&& says) {
    return std::ranges::any_of(report.sources, says);
  };

  if (!report.left_behind.empty() ||
      any_source([](const SourceReport& source) { return !source.left_behind.empty(); })) {
    return 6;
  }
  if (signal_number != 0) return 128 + signal_number;

  const bool missing = any_source([](const SourceReport& source) {
    return source.outcome == Outcome::failed || source.outcome == Outcome::partly_stored ||
           source.outcome == Outcome::cancelled;
  });
  // What was refused at preflight is a usage error only while nothing else was done.
  const bool anything_started =
      any_source([](const SourceReport& source) { return source.started; });
  if (missing) return anything_started ? 1 : 2;
  const bool warned = !report.warnings.empty() || any_source([](const SourceReport& source) {
    return source.outcome == Outcome::stored_with_warnings;
  });
  return warned && !warnings_ok ? 3 : 0;
}

}  // namespace bp
