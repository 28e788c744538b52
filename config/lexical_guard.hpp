// config/lexical_guard.hpp — what is refused before the TOML parser sees a file.
//
// toml++ 3.3 overflows the stack on dotted keys and table names of some 20 KB and takes seconds for
// huge strings. Nobody writes such a job file by hand, so a scan without recursion refuses them
// with a place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bp::config {

inline constexpr std::size_t max_job_file_bytes = std::size_t{256} << 10;

/// Throws Errc::config for: more than max_job_file_bytes; NUL and other control characters; more
/// than 32 dots or open brackets outside strings and comments on one line, or 32 brackets open at
/// once; more than 1024 dots on one line wherever they are, so that no disagreement with the parser
/// about where a string ends can hide a key that overflows its stack.
void guard_toml(std::string_view text, const std::string& name);

}  // namespace bp::config
