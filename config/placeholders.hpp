// config/placeholders.hpp — object names from templates, fixed once at the start of a run.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bp::config {

/// What a template may use: {hostname} {date} {time} {id} {ext} {job} {run}.
struct NameParts {
  std::string hostname, job, run, id, ext;
  std::string date;  ///< 2026-11-23, in the job's time zone
  std::string time;  ///< 020000
};

/// Date and time of day of a moment in "UTC", "local" or an IANA zone ("Europe/Berlin").
/// Throws Errc::config for a zone that the machine does not know.
struct WallClock {
  std::string date, time;
};
[[nodiscard]] WallClock wall_clock(std::chrono::system_clock::time_point moment,
                                   const std::string& timezone);

/// What is wrong with a template ("has an unknown placeholder '{host}'"), or nothing. {id} and
/// {ext} are required, "..", control characters and empty path components are refused.
struct TemplateProblem {
  std::string message, hint;
};
[[nodiscard]] std::optional<TemplateProblem> check_template(std::string_view object_template);

/// Expands a checked template; a leading '/' is dropped.
[[nodiscard]] std::string expand_template(std::string_view object_template, const NameParts& parts);

/// Puts "-HHMMSS" before the extension: "h/2026-11-23/etc.tar.gz" →
/// "h/2026-11-23/etc-020000.tar.gz". `ext` is the extension as it was given to expand_template.
[[nodiscard]] std::string with_suffix(std::string_view object, std::string_view ext,
                                      std::string_view time);

/// A name found at run time (a database), made safe for an object name: bytes outside
/// [A-Za-z0-9._-] become %XX, and so does a leading dot.
[[nodiscard]] std::string encode_name(std::string_view name);

/// True for names that need no encoding: [A-Za-z0-9._-]+, not "." or "..", not starting with '-'.
[[nodiscard]] bool is_safe_id(std::string_view name) noexcept;

}  // namespace bp::config
