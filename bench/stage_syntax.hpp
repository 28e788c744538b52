// bench/stage_syntax.hpp — stages as written on a command line:
// "gzip:6,gpg:binary=gpg2;passphrase=x".
#pragma once

#include "config/document.hpp"
#include "stages/registry.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace bp::bench {

/// One stage: its type, and its options as a job file's table would hold them.
struct StageSpec {
  std::string type;
  config::Table options;
};

/// Stages are parted by commas, options by semicolons; a value without a key is the level. Numbers,
/// true and false are taken as such. "" is no stage at all. Throws Errc::config naming the column.
[[nodiscard]] std::vector<StageSpec> parse_stages(std::string_view text);

/// The types that the registry makes of them. Throws Errc::config for unknown types, unknown
/// options and values that do not fit.
[[nodiscard]] std::vector<stages::FilterType> read_stages(const std::vector<StageSpec>& specs,
                                                          const stages::Registry& registry);

}  // namespace bp::bench
