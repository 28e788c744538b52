#include "stages/support/utc_time.hpp"

#include <fmt/format.h>

#include <time.h>

#include <cstdio>

namespace bp::stages {

std::string utc_text(std::chrono::system_clock::time_point moment) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(moment));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::optional<std::chrono::system_clock::time_point> parse_utc(const std::string& text) {
  std::tm parts{};
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const auto moment = std::chrono::system_clock::from_time_t(::timegm(&parts));
  // timegm takes the 40th of May for a date, and sscanf takes "  7" for a number.
  if (utc_text(moment) != text) return std::nullopt;
  return moment;
}

}  // namespace bp::stages
