#include "config/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace bp::config {

namespace {

// Longer names are no typing mistakes, and the rows of costs have a fixed size.
constexpr std::size_t longest = 64;
using Row = std::array<std::size_t, longest + 1>;

/// Optimal string alignment distance of two names of at most `longest` bytes.
std::size_t distance(std::string_view a, std::string_view b) {
  Row before{};
  Row last{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = last;
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string_view> known) {
  if (name.empty() || name.size() > longest) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t shorter = std::min(name.size(), candidate.size());
    const std::size_t longer = std::max(name.size(), candidate.size());
    if (longer > longest || longer - shorter >= best_distance) continue;
    const std::size_t d = distance(name, candidate);
    if (d >= best_distance) continue;
    best_distance = d;
    best = candidate;
  }
  return best;
}

std::string hint_for_unknown(std::string_view name, std::span<const std::string_view> known) {
  constexpr std::size_t few = 24;
  if (const auto nearest = nearest_name(name, known))
    return fmt::format("did you mean '{}'?", *nearest);
  if (known.empty() || known.size() > few) return {};
  return fmt::format("known: {}", fmt::join(known, ", "));
}

}  // namespace bp::config
