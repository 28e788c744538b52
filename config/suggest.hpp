// config/suggest.hpp — "did you mean …?": the nearest of a few known names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bp::config {

/// The known name with the smallest edit distance (a swap of neighbours counts once), if it is near
/// enough to be what was meant: at most a third of the letters differ.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view name,
                                                      std::span<const std::string_view> known);

/// The hint for a name that nobody knows: "did you mean 'level'?", else "known: level, type" when
/// those are few enough to read, else nothing.
[[nodiscard]] std::string hint_for_unknown(std::string_view name,
                                           std::span<const std::string_view> known);

}  // namespace bp::config
