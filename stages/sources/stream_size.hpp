// stages/sources/stream_size.hpp — whether what a source gave is as much as it should be.
//
// A child can end well and have printed next to nothing: an empty database after a failed restore,
// a folder whose disk is not mounted. Retention would then delete the good backups one by one.
#pragma once

#include "config/options.hpp"
#include "engine/stage.hpp"

#include <cstdint>
#include <optional>

namespace bp::stages {

enum class OnShrink : std::uint8_t { ignore, warn, fail };

struct SizeRules {
  std::uint64_t min_bytes = 0;
  unsigned shrink_limit = 50;  ///< percent of the last good run that may be missing
  OnShrink on_shrink = OnShrink::warn;
  std::optional<std::uint64_t> expected_bytes{};  ///< what the last good run gave
};

/// Reads min_bytes, shrink_limit and on_shrink.
[[nodiscard]] SizeRules read_size_rules(config::OptionReader& options);

/// Throws Errc::source when `bytes` is too little, or warns. Call it when the source has ended
/// well: why it did not is the better message.
void check_size(const SizeRules& rules, std::uint64_t bytes, StageContext& ctx);

}  // namespace bp::stages
