// tools/output/report_json.hpp — a run's report as JSON, for --report and monitoring.
#pragma once

#include "engine/report.hpp"

#include <string>

namespace bp::tools {

/// The report as JSON, format_version 1. Pretty-printed, ends with a newline.
[[nodiscard]] std::string report_json(const RunReport& report, int exit_status);

/// Writes it to `file` ("-": stdout) by a temporary name and a rename. Throws Errc::destination.
void write_report(const std::string& file, const std::string& text);

}  // namespace bp::tools
