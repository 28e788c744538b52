#include "config/placeholders.hpp"

#include "config/timezone.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <time.h>

#include <array>
#include <utility>

namespace bp::config {

namespace {

constexpr std::array<std::string_view, 7> placeholders{"hostname", "date", "time", "id",
                                                       "ext",      "job",  "run"};

std::string_view value_of(std::string_view name, const NameParts& parts) {
  if (name == "hostname") return parts.hostname;
  if (name == "date") return parts.date;
  if (name == "time") return parts.time;
  if (name == "id") return parts.id;
  if (name == "ext") return parts.ext;
  if (name == "job") return parts.job;
  return parts.run;
}

/// Splits a template into its literal parts and placeholder names, in order.
struct Piece {
  std::string_view text;
  bool is_placeholder;
};

std::optional<std::vector<Piece>> pieces_of(std::string_view text) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    const std::size_t open = text.find_first_of("{}");
    if (open != 0) pieces.push_back({text.substr(0, open), false});
    if (open == std::string_view::npos) break;
    const std::size_t end = text.find('}', open);
    if (text[open] == '}' || end == std::string_view::npos) return std::nullopt;
    pieces.push_back({text.substr(open + 1, end - open - 1), true});
    text.remove_prefix(end + 1);
  }
  return pieces;
}

bool is_placeholder(std::string_view name) {
  return std::ranges::find(placeholders, name) != placeholders.end();
}

constexpr std::string_view safe_characters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

}  // namespace

WallClock wall_clock(std::chrono::system_clock::time_point moment, const std::string& timezone) {
  const std::time_t now = std::chrono::system_clock::to_time_t(moment);
  std::tm fields{};
  if (timezone == "local") {
    ::localtime_r(&now, &fields);
  } else {
    const std::time_t shifted =
        timezone == "UTC" ? now : now + zone_offset(timezone, moment).count();
    ::gmtime_r(&shifted, &fields);
  }
  return {fmt::format("{:%Y-%m-%d}", fields), fmt::format("{:%H%M%S}", fields)};
}

std::optional<TemplateProblem> check_template(std::string_view text) {
  const auto pieces = pieces_of(text);
  if (!pieces) return TemplateProblem{"unbalanced braces", "placeholders look like {id}"};
  bool has_id = false;
  bool has_extension = false;
  std::string sample;
  for (const Piece& piece : *pieces) {
    if (!piece.is_placeholder) {
      sample += piece.text;
      continue;
    }
    if (!is_placeholder(piece.text)) {
      return TemplateProblem{fmt::format("has an unknown placeholder '{{{}}}'", piece.text),
                             fmt::format("known: {{{}}}", fmt::join(placeholders, "} {"))};
    }
    has_id = has_id || piece.text == "id";
    has_extension = has_extension || piece.text == "ext";
    sample += 'x';
  }
  if (!has_id) return TemplateProblem{"has no {id}", "two sources would overwrite each other"};
  if (!has_extension) return TemplateProblem{"has no {ext}", "the name must say what it holds"};

  if (sample.starts_with('/')) sample.erase(0, 1);
  if (sample.size() > 1 && sample.find_first_of("\\\n\r\t:*?\"<>|") != std::string::npos) {
    return TemplateProblem{"has a character that some destination cannot store",
                           "letters, digits . _ - /"};
  }
  for (std::string_view rest = sample;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) return TemplateProblem{"has an empty folder name", ""};
    if (part == "." || part == "..") return TemplateProblem{"leaves its folder", ""};
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return std::nullopt;
}

std::string expand_template(std::string_view text, const NameParts& parts) {
  std::string name;
  for (const Piece& piece : pieces_of(text).value_or(std::vector<Piece>{})) {
    if (!piece.is_placeholder) {
      name += piece.text;
      continue;
    }
    const std::string_view value = value_of(piece.text, parts);
    // A stream without an extension has none, not an empty one: "id", not "id.".
    if (piece.text == "ext" && value.empty() && name.ends_with('.')) name.pop_back();
    name += value;
  }
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

std::string with_suffix(std::string_view object, std::string_view ext, std::string_view time) {
  std::string_view stem = object;
  std::string_view tail;
  const std::string dotted = fmt::format(".{}", ext);
  if (!ext.empty() && object.ends_with(dotted)) {
    stem = object.substr(0, object.size() - dotted.size());
    tail = object.substr(stem.size());
  }
  return fmt::format("{}-{}{}", stem, time, tail);
}

std::string encode_name(std::string_view name) {
  std::string encoded;
  for (const char c : name) {
    const bool leading_dot = c == '.' && encoded.empty();
    const bool leading_dash = c == '-' && encoded.empty();
    if (!leading_dot && !leading_dash && safe_characters.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

bool is_safe_id(std::string_view name) noexcept {
  return !name.empty() && name != "." && name != ".." && name.front() != '-' &&
         name.find_first_not_of(safe_characters) == std::string_view::npos;
}

}  // namespace bp::config
