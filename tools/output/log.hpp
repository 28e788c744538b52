// tools/output/log.hpp — one logger for the process: text or JSON lines on stderr.
#pragma once

#include "engine/error.hpp"

#include <functional>
#include <string>

namespace bp::tools {

enum class LogFormat { text, json };

/// Sets up the process's logger. `level` is one of trace, debug, info, warn, error, off; every line
/// carries `run_id` when it is not empty. Call it again to change either.
void set_up_log(const std::string& level, LogFormat format, const std::string& run_id);

/// Calls these before and after each line, so that something drawn on the terminal can get out of
/// its way; empty ones end that. Holds for the logger of the last set_up_log().
void log_around(std::function<void()> before, std::function<void()> after);

/// An error with its hint, as one line (several for a table of diagnostics).
void log_error(const Error& error);

}  // namespace bp::tools
