#include "bench/measure.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string_view>

namespace bp::bench {

namespace {

Seconds seconds(const timeval& time) {
  return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

/// VmHWM of /proc/self/status. ru_maxrss would do, were it not inherited through fork and exec.
std::uint64_t own_peak_rss() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes << 10U;
  }
  return 0;
}

}  // namespace

Usage usage_of(const rusage& used) {
  return {.user = seconds(used.ru_utime),
          .system = seconds(used.ru_stime),
          .peak_rss_bytes = static_cast<std::uint64_t>(used.ru_maxrss) << 10U};
}

Usage usage_of_this_process() {
  rusage own{}, children{};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  const Usage ours = usage_of(own), theirs = usage_of(children);
  return {.user = ours.user + theirs.user,
          .system = ours.system + theirs.system,
          .peak_rss_bytes = own_peak_rss()};
}

std::uint64_t Measurement::bytes_in() const {
  return report.stages.front().bytes_out;
}
std::uint64_t Measurement::bytes_out() const {
  return report.stages.back().bytes_in;
}

Seconds Measurement::busy(const StageReport& stage) const {
  return std::max(Seconds{0}, Seconds{wall - stage.blocked_in - stage.blocked_out});
}

const StageReport& Measurement::limiting_stage() const {
  return *std::ranges::max_element(report.stages, {},
                                   [this](const StageReport& stage) { return busy(stage); });
}

double megabytes_per_second(std::uint64_t bytes, Seconds time) {
  constexpr double megabyte = 1e6;
  return time.count() > 0 ? static_cast<double>(bytes) / megabyte / time.count() : 0;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

}  // namespace bp::bench
