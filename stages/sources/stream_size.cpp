#include "stages/sources/stream_size.hpp"

#include <fmt/format.h>

namespace bp::stages {

SizeRules read_size_rules(config::OptionReader& options) {
  SizeRules rules;
  rules.min_bytes = options.size("min_bytes", 0);
  rules.shrink_limit = static_cast<unsigned>(
      options.integer("shrink_limit", {.fallback = long{50}, .min = 1, .max = 99}));
  const std::string word = options.choice("on_shrink", "warn", {"warn", "fail", "ignore"});
  rules.on_shrink = word == "warn"   ? OnShrink::warn
                    : word == "fail" ? OnShrink::fail
                                     : OnShrink::ignore;
  return rules;
}

void check_size(const SizeRules& rules, std::uint64_t bytes, StageContext& ctx) {
  if (bytes < rules.min_bytes) {
    throw Error{
        Errc::source,
        fmt::format("ended well after {} bytes, and min_bytes is {}", bytes, rules.min_bytes),
        "Is something missing? If not, lower min_bytes."};
  }
  if (rules.on_shrink == OnShrink::ignore || !rules.expected_bytes) return;
  // In floating point: a hundred times the size of a large backup may not fit into an integer.
  const double least =
      static_cast<double>(*rules.expected_bytes) * (100 - rules.shrink_limit) / 100;
  if (static_cast<double>(bytes) >= least) return;
  const std::string what =
      fmt::format("ended well after {} bytes; the last good run had {}, and shrink_limit is {} %",
                  bytes, *rules.expected_bytes, rules.shrink_limit);
  if (rules.on_shrink == OnShrink::fail) {
    throw Error{Errc::source, what,
                "Is something missing? If not, run once with on_shrink = \"warn\"."};
  }
  ctx.warn(what);
}

}  // namespace bp::stages
