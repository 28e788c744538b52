#include "bench/present.hpp"

#include "bench/chart.hpp"
#include "bench/table.hpp"
#include "config/units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>

namespace bp::bench {

namespace {

using Json = nlohmann::ordered_json;

/// "1.23 s (45 %)": a time and its share of the whole.
std::string share(Seconds part, Seconds whole) {
  const double percent = whole.count() > 0 ? 100 * part.count() / whole.count() : 0;
  return fmt::format("{:.2f} s ({:.0f} %)", part.count(), percent);
}

std::string speed(std::uint64_t bytes, Seconds wall) {
  return bytes == 0 ? "-" : fmt::format("{:.0f}", megabytes_per_second(bytes, wall));
}

Json stage_json(const Measurement& measured, const StageReport& stage) {
  return {{"name", stage.name},
          {"bytes_in", stage.bytes_in},
          {"bytes_out", stage.bytes_out},
          {"cpu_seconds", Seconds{stage.cpu}.count()},
          {"blocked_in_seconds", Seconds{stage.blocked_in}.count()},
          {"blocked_out_seconds", Seconds{stage.blocked_out}.count()},
          {"busy_seconds", measured.busy(stage).count()}};
}

}  // namespace

std::string measurement_text(const Measurement& measured) {
  Table table{{"stage", "MB/s in", "MB/s out", "CPU", "waited for input", "waited for room"}};
  for (const StageReport& stage : measured.report.stages) {
    // Coroutines share the I/O thread, whose time belongs to none of them.
    const std::string cpu =
        stage.cpu.count() == 0 ? "-" : fmt::format("{:.2f} s", Seconds{stage.cpu}.count());
    table.add({stage.name, speed(stage.bytes_in, measured.wall),
               speed(stage.bytes_out, measured.wall), cpu, share(stage.blocked_in, measured.wall),
               share(stage.blocked_out, measured.wall)});
  }
  const StageReport& slowest = measured.limiting_stage();
  const Usage& usage = measured.usage;
  return table.text() +
         fmt::format("\nlimited by  {}: busy {}\n", slowest.name,
                     share(measured.busy(slowest), measured.wall)) +
         fmt::format("total       {} in {:.2f} s: {:.0f} MB/s; {} stored\n",
                     config::format_bytes(measured.bytes_in()), measured.wall.count(),
                     megabytes_per_second(measured.bytes_in(), measured.wall),
                     config::format_bytes(measured.bytes_out())) +
         fmt::format("CPU         {:.2f} s user, {:.2f} s system, with children\n",
                     usage.user.count(), usage.system.count()) +
         fmt::format("memory      {} peak RSS of this process; plan {}, of its chunks {} used\n",
                     config::format_bytes(usage.peak_rss_bytes),
                     config::format_bytes(measured.plan_bytes),
                     config::format_bytes(measured.report.peak_chunks * measured.chunk_bytes));
}

std::string measurement_json(const Measurement& measured) {
  Json stages = Json::array();
  for (const StageReport& stage : measured.report.stages) {
    stages.push_back(stage_json(measured, stage));
  }
  const Json json{{"bytes_in", measured.bytes_in()},
                  {"bytes_out", measured.bytes_out()},
                  {"seconds", measured.wall.count()},
                  {"mb_per_s", megabytes_per_second(measured.bytes_in(), measured.wall)},
                  {"limited_by", measured.limiting_stage().name},
                  {"user_seconds", measured.usage.user.count()},
                  {"system_seconds", measured.usage.system.count()},
                  {"peak_rss_bytes", measured.usage.peak_rss_bytes},
                  {"plan_bytes", measured.plan_bytes},
                  {"peak_chunk_bytes", measured.report.peak_chunks * measured.chunk_bytes},
                  {"stages", std::move(stages)}};
  return json.dump(2) + '\n';
}

std::string measurement_svg(const Measurement& measured, const std::string& title) {
  BarChart chart{.title = title,
                 .unit = "s",
                 .legend = {"busy", "waited for input", "waited for room"},
                 .bars = {}};
  for (const StageReport& stage : measured.report.stages) {
    chart.bars.push_back({.label = stage.name,
                          .parts = {measured.busy(stage).count(), Seconds{stage.blocked_in}.count(),
                                    Seconds{stage.blocked_out}.count()}});
  }
  return chart.svg();
}

ReadMeasurement read_measurement(std::string_view json) {
  try {
    const Json read = Json::parse(json);
    return {.bytes_in = read.at("bytes_in").get<std::uint64_t>(),
            .bytes_out = read.at("bytes_out").get<std::uint64_t>(),
            .seconds = read.at("seconds").get<double>(),
            .limited_by = read.at("limited_by").get<std::string>()};
  } catch (const Json::exception& error) {
    throw Error{Errc::internal, fmt::format("not a measurement: {}", error.what())};
  }
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  std::ofstream stream{file, std::ios::binary | std::ios::trunc};
  stream << text << std::flush;
  if (!stream) throw Error{Errc::destination, fmt::format("unable to write '{}'", file.string())};
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream{file, std::ios::binary};
  if (!stream) throw Error{Errc::source, fmt::format("unable to read '{}'", file.string())};
  return {std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{}};
}

}  // namespace bp::bench
