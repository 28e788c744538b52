// config/timezone.hpp — the offset of a named time zone at a moment, without touching this
// process's own.
//
// libstdc++ 12 has no chrono time zones and glibc knows only one zone per process, so TZif files
// (RFC 8536) are read here: the table of transitions, and for later moments the footer's rule
// (POSIX TZ).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace bp::config {

/// Seconds east of UTC of an IANA zone ("Europe/Berlin") at `moment`. Throws Errc::config for a
/// name that is not one, or a zone that this machine does not have.
[[nodiscard]] std::chrono::seconds zone_offset(const std::string& zone,
                                               std::chrono::system_clock::time_point moment);

/// The same by a POSIX TZ rule, e.g. "CET-1CEST,M3.5.0,M10.5.0/3". Throws Errc::config for a rule
/// that it cannot read (Jn and n day forms are not used by any zone of today's database).
[[nodiscard]] std::chrono::seconds posix_offset(std::string_view rule,
                                                std::chrono::system_clock::time_point moment);

}  // namespace bp::config
