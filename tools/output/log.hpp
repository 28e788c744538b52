// tools/output/log.hpp — one logger for the process: text or JSON lines on stderr.
#pragma once

#include "engine/error.hpp"

#include <string>

namespace bp::tools {

enum class LogFormat { text, json };

/// Sets up the process's logger. `level` is one of trace, debug, info, warn, error, off; every line
/// carries `run_id` when it is not empty. Call it again to change either.
void set_up_log(const std::string& level, LogFormat format, const std::string& run_id);

/// An error with its hint, as one line (several for a table of diagnostics).
void log_error(const Error& error);

}  // namespace bp::tools
