#include "tools/output/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace bp::tools {

namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

/// Below this, starting programs is what took the time.
constexpr Seconds too_soon = 2s;

/// What helps against the slowness of a type of stage.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> remedies{{
    {"gzip", "try zstd, or a lower level"},
    {"zstd", "try a lower level"},
    {"gpg", "it encrypts on one core; compressing more in front of it gives it less to do"},
    {"rate_limit", "as its rate wants it"},
    {"checksum", "it hashes on one core"},
    {"folder", "reading the files: a faster disk, or fewer and larger files"},
    {"file", "the disk that it lies on"},
    {"command", "the program itself"},
}};

std::string_view type_of(const std::string& stage, const SourceReport& source,
                         const config::JobSpec& job) {
  if (stage == source.id) return source.kind;
  if (const auto* const filter = job.find_filter(stage)) return filter->type;
  if (const auto* const destination = job.find_destination(stage)) return destination->type;
  return stage;  // a filter that needed no table
}

std::string_view remedy_for(std::string_view type) {
  const auto found =
      std::ranges::find(remedies, type, &std::pair<std::string_view, std::string_view>::first);
  return found == remedies.end() ? std::string_view{} : found->second;
}

Seconds busy_time(const StageReport& stage, Seconds wall) {
  return std::max(Seconds{0}, wall - Seconds{stage.blocked_in} - Seconds{stage.blocked_out});
}

}  // namespace

std::optional<std::string> advice(const SourceReport& source, const config::JobSpec& job) {
  const Seconds wall{source.ended - source.began};
  if (!source.started || source.committed() == 0 || source.stages.empty() || wall < too_soon) {
    return std::nullopt;
  }
  const auto slowest = std::ranges::max_element(
      source.stages, {}, [wall](const StageReport& stage) { return busy_time(stage, wall); });
  const double percent = 100 * (busy_time(*slowest, wall) / wall);
  std::string words =
      fmt::format("limited by {}, busy {:.0f} % of the time", slowest->name, percent);
  const std::string_view remedy = remedy_for(type_of(slowest->name, source, job));
  if (!remedy.empty()) words += fmt::format(": {}", remedy);
  return words;
}

}  // namespace bp::tools
