// tools/output/advice.hpp — what limited a backup's speed, and what would help, in words.
#pragma once

#include "config/job.hpp"
#include "engine/report.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace bp::tools {

/// "limited by gzip, busy 81 % of the time: try zstd, or a lower level". Nothing for a source that
/// did not store, or was over too soon to say.
[[nodiscard]] std::optional<std::string> advice(const SourceReport& source,
                                                const config::JobSpec& job);

}  // namespace bp::tools
