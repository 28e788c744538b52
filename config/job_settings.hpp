// config/job_settings.hpp — the [job] table: what holds for all sources and destinations of a job
// file.
#pragma once

#include "config/job.hpp"
#include "config/options.hpp"

#include <cstddef>
#include <optional>

namespace bp::config {

/// Reads every key of [job]; what is not written stays as it is in `job`, but for the host's name,
/// which is then asked of the machine. The caller calls finish().
void read_job_settings(OptionReader& options, JobSettings& job);

/// `bandwidth` of [job] or of a destination, bytes per second; empty: no limit.
[[nodiscard]] std::optional<std::size_t> read_bandwidth(OptionReader& options);

}  // namespace bp::config
