// tools/output/summary.hpp — what happened, in words, for the person at the terminal.
#pragma once

#include "config/job.hpp"
#include "engine/report.hpp"

#include <string>

namespace bp::tools {

/// A headline and a few lines per source: what was stored where, how big, or why not and what to
/// do, and what limited its speed.
[[nodiscard]] std::string summary(const RunReport& report, const config::JobSpec& job);

/// One line about a finished source, for the log.
[[nodiscard]] std::string headline(const SourceReport& source);

}  // namespace bp::tools
