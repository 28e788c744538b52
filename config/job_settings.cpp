#include "config/job_settings.hpp"

#include "config/placeholders.hpp"
#include "engine/error.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <utility>

namespace bp::config {

namespace {

std::string this_hostname() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

void read_memory(OptionReader& options, JobSettings& job) {
  job.memory_bytes = options.size("memory", job.memory_bytes);
  if (job.memory_bytes < std::size_t{4} << 20) {
    options.fail("memory", "'memory' must be at least 4 MiB");
  }
  job.chunk_bytes = options.size("chunk", job.chunk_bytes);
  const bool power_of_two = (job.chunk_bytes & (job.chunk_bytes - 1)) == 0;
  if (!power_of_two || job.chunk_bytes < std::size_t{16} << 10 ||
      job.chunk_bytes > std::size_t{16} << 20) {
    options.fail("chunk", "'chunk' must be a power of two between 16 KiB and 16 MiB");
    job.chunk_bytes = std::size_t{256} << 10;
  }
}

void read_object(OptionReader& options, JobSettings& job) {
  job.object = options.text("object", job.object);
  if (const auto problem = check_template(job.object)) {
    options.fail("object", fmt::format("'object' {}", problem->message), problem->hint);
  }
  job.timezone = options.text("timezone", job.timezone);
  try {
    [[maybe_unused]] const WallClock now =
        wall_clock(std::chrono::system_clock::now(), job.timezone);
  } catch (const Error& error) {
    options.fail("timezone", error.what(), std::string{error.hint()});
  }
}

}  // namespace

void read_job_settings(OptionReader& options, JobSettings& job) {
  job.name = options.text("name", job.name);
  job.hostname = options.text("hostname", this_hostname());
  for (const auto& [key, value] : {std::pair{"name", job.name}, {"hostname", job.hostname}}) {
    if (!is_safe_id(value)) {
      options.fail(key,
                   fmt::format("'{}' is '{}', which cannot be part of a file name", key, value),
                   "letters, digits, '.', '_' and '-', not beginning with '-'");
    }
  }
  read_memory(options, job);
  job.pipeline = options.names("pipeline");
  job.pipeline_location = options.location("pipeline");
  read_object(options, job);
  const std::string policy = options.choice("on_exists", "suffix", {"suffix", "replace", "fail"});
  job.on_exists = policy == "replace" ? OnExists::replace
                  : policy == "fail"  ? OnExists::fail
                                      : OnExists::suffix;
  const std::string detail = options.choice("manifest_detail", "normal", {"normal", "full"});
  job.manifest_detail = detail == "full" ? ManifestDetail::full : ManifestDetail::normal;
  job.max_parallel = static_cast<std::size_t>(
      options.integer("max_parallel", {.fallback = 1, .min = 1, .max = 64}));
  job.all_or_nothing = options.flag("all_or_nothing", false);
  job.min_success = static_cast<std::size_t>(
      options.integer("min_success", {.fallback = 0, .min = 0, .max = 64}));
  job.warnings_ok = options.flag("warnings_ok", false);
  job.bandwidth = read_bandwidth(options);
}

std::optional<std::size_t> read_bandwidth(OptionReader& options) {
  const std::optional<std::size_t> rate = options.optional_size("bandwidth");
  if (rate == 0) {
    options.fail("bandwidth", "'bandwidth' is 0: nothing would ever be stored",
                 "leave the key out for no limit");
  }
  return rate;
}

}  // namespace bp::config
