#include "tools/output/summary.hpp"

#include "config/units.hpp"
#include "tools/output/advice.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bp::tools {

namespace {

double seconds_between(std::chrono::system_clock::time_point began,
                       std::chrono::system_clock::time_point ended) {
  return std::chrono::duration<double>{ended - began}.count();
}

std::string_view in_words(Outcome outcome) {
  switch (outcome) {
    case Outcome::stored:
      return "stored";
    case Outcome::stored_with_warnings:
      return "stored, with warnings";
    case Outcome::partly_stored:
      return "PARTLY STORED";
    case Outcome::failed:
      return "FAILED";
    case Outcome::cancelled:
      return "STOPPED";
  }
  return "FAILED";
}

/// What the source produced, before any filter.
std::uint64_t raw_bytes(const SourceReport& source) {
  return source.stages.empty() ? 0 : source.stages.front().bytes_out;
}

std::string sink_line(const SourceReport& source, const SinkReport& sink) {
  if (!sink.receipt) {
    const std::string_view why = sink.failure ? sink.failure->what() : "not stored";
    return fmt::format("    {}: not stored: {}{}\n", sink.name, why,
                       sink.required ? "" : " (optional)");
  }
  const std::uint64_t raw = raw_bytes(source);
  std::string line = fmt::format("    {}: {} ({}", sink.name, sink.receipt->location,
                                 config::format_bytes(sink.receipt->bytes));
  if (sink.receipt->bytes != 0 && raw > sink.receipt->bytes) {
    line += fmt::format(", {:.1f} times smaller than the source",
                        static_cast<double>(raw) / static_cast<double>(sink.receipt->bytes));
  }
  return line + ")\n";
}

std::string source_text(const SourceReport& source, const config::JobSpec& job) {
  std::string text =
      fmt::format("  {} ({}): {}", source.display_name, source.kind, in_words(source.outcome));
  if (source.started) {
    text += fmt::format(", {} read in {:.1f} s", config::format_bytes(raw_bytes(source)),
                        seconds_between(source.began, source.ended));
  }
  text += "\n";
  if (source.cause) {
    text += fmt::format("    {}\n", source.cause->what());
    if (!source.cause->hint().empty()) text += fmt::format("    → {}\n", source.cause->hint());
  }
  for (const SinkReport& sink : source.sinks) text += sink_line(source, sink);
  if (const auto words = advice(source, job)) text += fmt::format("    {}\n", *words);
  for (const Warning& warning : source.warnings) {
    text += fmt::format("    warning: {}: {}\n", warning.stage, warning.text);
    constexpr std::size_t shown = 5;
    for (std::size_t i = 0; i < std::min(shown, warning.lines.size()); ++i) {
      text += fmt::format("      {}\n", warning.lines[i]);
    }
    if (warning.lines.size() > shown) {
      text += fmt::format("      … and {} more (see --report)\n", warning.lines.size() - shown);
    }
  }
  for (const std::string& left : source.left_behind) {
    text += fmt::format("    LEFT BEHIND: {}\n", left);
  }
  return text;
}

}  // namespace

std::string summary(const RunReport& report, const config::JobSpec& job) {
  const auto stored = std::ranges::count_if(report.sources, [](const SourceReport& source) {
    return source.outcome == Outcome::stored || source.outcome == Outcome::stored_with_warnings;
  });
  std::string text = fmt::format("{}: {} of {} source{} stored in {:.1f} s\n", report.job, stored,
                                 report.sources.size(), report.sources.size() == 1 ? "" : "s",
                                 seconds_between(report.began, report.ended));
  for (const SourceReport& source : report.sources) text += source_text(source, job);
  for (const std::string& warning : report.warnings)
    text += fmt::format("  warning: {}\n", warning);
  for (const std::string& left : report.left_behind)
    text += fmt::format("  LEFT BEHIND: {}\n", left);
  return text;
}

std::string headline(const SourceReport& source) {
  std::string line = fmt::format("{}: {}", source.id, in_words(source.outcome));
  if (source.cause) line += fmt::format(": {}", source.cause->what());
  return line;
}

}  // namespace bp::tools
