#include "config/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

namespace bp::config {

namespace {

std::string lower(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view without_leading_spaces(std::string_view text) {
  const std::size_t start = text.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 15> size_units{{{"", 1},
                                           {"b", 1},
                                           {"bytes", 1},
                                           {"k", 1000},
                                           {"kb", 1000},
                                           {"kib", 1ULL << 10},
                                           {"m", 1000ULL * 1000},
                                           {"mb", 1000ULL * 1000},
                                           {"mib", 1ULL << 20},
                                           {"g", 1000ULL * 1000 * 1000},
                                           {"gb", 1000ULL * 1000 * 1000},
                                           {"gib", 1ULL << 30},
                                           {"t", 1000ULL * 1000 * 1000 * 1000},
                                           {"tb", 1000ULL * 1000 * 1000 * 1000},
                                           {"tib", 1ULL << 40}}};

constexpr std::array<Unit, 5> time_units{
    {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}, {"w", 7 * 86'400}}};

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  double number = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (failure != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  const std::string unit =
      lower(without_leading_spaces(text.substr(static_cast<std::size_t>(end - text.data()))));
  const auto found = std::ranges::find(size_units, unit, &Unit::name);
  if (found == size_units.end()) return std::nullopt;
  const double bytes = number * static_cast<double>(found->factor);
  if (bytes >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(bytes));
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::uint64_t longest = 100ULL * 365 * 86'400;
  std::uint64_t total = 0;
  bool had_unit = false;
  std::string_view rest = text;
  do {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (failure != std::errc{} || number > longest) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty() && !had_unit) return std::chrono::seconds{number};
    if (rest.empty()) return std::nullopt;
    const auto unit = std::ranges::find(time_units, rest.substr(0, 1), &Unit::name);
    if (unit == time_units.end()) return std::nullopt;
    total += number * unit->factor;
    if (total > longest) return std::nullopt;
    had_unit = true;
    rest = without_leading_spaces(rest.substr(1));
  } while (!rest.empty());
  return std::chrono::seconds{total};
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> names{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < names.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, names[unit]);
}

std::string format_duration(std::chrono::seconds duration) {
  auto rest = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
  std::string text;
  int shown = 0;
  for (auto unit = time_units.rbegin(); unit != time_units.rend() && shown < 2; ++unit) {
    if (unit->name == "w") continue;
    const std::uint64_t count = rest / unit->factor;
    rest %= unit->factor;
    if (count == 0) {
      if (shown != 0) break;
      continue;
    }
    text += fmt::format("{}{}{}", text.empty() ? "" : " ", count, unit->name);
    ++shown;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace bp::config
