// tools/output/summary.hpp — what happened, in words, for the person at the terminal.
#pragma once

#include "engine/report.hpp"

#include <string>

namespace bp::tools {

/// A headline and a few lines per source: what was stored where, how big, or why not and what to
/// do.
[[nodiscard]] std::string summary(const RunReport& report);

/// One line about a finished source, for the log.
[[nodiscard]] std::string headline(const SourceReport& source);

}  // namespace bp::tools
