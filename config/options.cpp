#include "config/options.hpp"

#include "config/suggest.hpp"
#include "config/units.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace bp::config {

OptionReader::OptionReader(const Table& table, std::string title, Diagnostics& diagnostics,
                           bool literal_secrets_ok)
    : table_{table},
      title_{std::move(title)},
      diagnostics_{diagnostics},
      literal_secrets_ok_{literal_secrets_ok} {}

const std::string& OptionReader::title() const noexcept {
  return title_;
}

bool OptionReader::has(std::string_view key) const {
  return table_.find(key) != nullptr;
}

void OptionReader::accept(std::string_view key) {
  asked_.emplace_back(key);
}

const Value* OptionReader::take(std::string_view key) {
  accept(key);
  const Table::Entry* entry = table_.find(key);
  return entry == nullptr ? nullptr : entry->value.get();
}

const Value* OptionReader::require(std::string_view key) {
  const Value* value = take(key);
  if (value == nullptr) fail(key, fmt::format("[{}] needs '{}'", title_, key));
  return value;
}

void OptionReader::wrong_type(std::string_view key, const Value& value, std::string_view wanted) {
  diagnostics_.add(value.location(),
                   fmt::format("'{}' must be {}, not {}", key, wanted, value.type_name()));
}

void OptionReader::resolve(std::string_view key, const Value* value, std::string text) {
  resolved_.push_back(
      {std::string{key}, std::move(text), value == nullptr ? "default" : value->location().text()});
}

void OptionReader::fail(std::string_view key, std::string message, std::string hint) {
  diagnostics_.add(location(key), std::move(message), std::move(hint));
}

Location OptionReader::location(std::string_view key) const {
  const Table::Entry* entry = table_.find(key);
  return entry == nullptr ? table_.location : entry->location;
}

std::string OptionReader::where(std::string_view key) const {
  return fmt::format("{}: '{}'", location(key).text(), key);
}

std::string OptionReader::text(std::string_view key) {
  const Value* value = require(key);
  const auto* text = typed<std::string>(key, value, "a string");
  if (text == nullptr) return {};
  if (text->empty()) fail(key, fmt::format("'{}' is empty", key));
  resolve(key, value, *text);
  return *text;
}

std::string OptionReader::text(std::string_view key, std::string fallback) {
  const Value* value = take(key);
  if (const auto* text = typed<std::string>(key, value, "a string")) fallback = *text;
  resolve(key, value, fallback);
  return fallback;
}

std::optional<std::string> OptionReader::optional_text(std::string_view key) {
  return has(key) ? std::optional{text(key)} : (accept(key), std::nullopt);
}

std::string OptionReader::choice(std::string_view key, std::string fallback,
                                 std::initializer_list<std::string_view> allowed) {
  const Value* value = take(key);
  if (const auto* text = typed<std::string>(key, value, "a string")) {
    if (std::ranges::find(allowed, *text) == allowed.end()) {
      const auto nearest = nearest_name(*text, std::span{allowed.begin(), allowed.size()});
      diagnostics_.add(
          value->location(),
          fmt::format("'{}' must be one of {}, not '{}'", key, fmt::join(allowed, ", "), *text),
          nearest ? fmt::format("did you mean '{}'?", *nearest) : "");
    } else {
      fallback = *text;
    }
  }
  resolve(key, value, fallback);
  return fallback;
}

long OptionReader::integer(std::string_view key, IntegerRule rule) {
  const Value* value = rule.fallback ? take(key) : require(key);
  long result = rule.fallback.value_or(rule.min);
  if (const auto* number = typed<std::int64_t>(key, value, "an integer")) {
    if (*number < rule.min || *number > rule.max) {
      diagnostics_.add(value->location(), fmt::format("'{}' must be between {} and {}, not {}", key,
                                                      rule.min, rule.max, *number));
    } else {
      result = *number;
    }
  }
  resolve(key, value, std::to_string(result));
  return result;
}

long OptionReader::integer_or_word(std::string_view key, IntegerRule rule,
                                   std::pair<std::string_view, long> word) {
  const Table::Entry* const entry = table_.find(key);
  const auto* const text =
      entry == nullptr ? nullptr : std::get_if<std::string>(&entry->value->data());
  if (text == nullptr) return integer(key, rule);
  const Value* value = take(key);
  if (*text != word.first) {
    diagnostics_.add(value->location(), fmt::format("'{}' must be between {} and {}, or \"{}\"",
                                                    key, rule.min, rule.max, word.first));
  }
  resolve(key, value, *text);
  return word.second;
}

bool OptionReader::flag(std::string_view key, bool fallback) {
  const Value* value = take(key);
  if (const auto* flag = typed<bool>(key, value, "true or false")) fallback = *flag;
  resolve(key, value, fallback ? "true" : "false");
  return fallback;
}

std::optional<std::size_t> OptionReader::optional_size(std::string_view key) {
  const Value* value = take(key);
  if (value == nullptr) return std::nullopt;
  std::optional<std::uint64_t> bytes;
  if (const auto* number = std::get_if<std::int64_t>(&value->data()); number && *number >= 0) {
    bytes = static_cast<std::uint64_t>(*number);
  } else if (const auto* text = std::get_if<std::string>(&value->data())) {
    bytes = parse_size(*text);
  }
  if (!bytes) {
    diagnostics_.add(value->location(), fmt::format("'{}' must be a size", key),
                     "like \"64MiB\", \"1.5GB\" or a number of bytes");
    return std::nullopt;
  }
  resolve(key, value, format_bytes(*bytes));
  return bytes;
}

std::size_t OptionReader::size(std::string_view key, std::size_t fallback) {
  if (!has(key)) resolve(key, nullptr, format_bytes(fallback));
  return optional_size(key).value_or(fallback);
}

std::optional<std::chrono::seconds> OptionReader::optional_duration(std::string_view key) {
  const Value* value = take(key);
  if (value == nullptr) return std::nullopt;
  std::optional<std::chrono::seconds> duration;
  if (const auto* number = std::get_if<std::int64_t>(&value->data())) {
    duration = parse_duration(std::to_string(*number));
  } else if (const auto* text = std::get_if<std::string>(&value->data())) {
    duration = parse_duration(*text);
  }
  if (!duration) {
    diagnostics_.add(value->location(), fmt::format("'{}' must be a duration", key),
                     "like \"90s\", \"5m\", \"2h30m\" or a number of seconds");
    return std::nullopt;
  }
  resolve(key, value, format_duration(*duration));
  return duration;
}

std::chrono::seconds OptionReader::duration(std::string_view key, std::chrono::seconds fallback) {
  if (!has(key)) resolve(key, nullptr, format_duration(fallback));
  return optional_duration(key).value_or(fallback);
}

std::string OptionReader::absolute(std::string path) const {
  if (path.empty() || path.front() == '/' || !table_.location.file) return path;
  const std::filesystem::path folder =
      std::filesystem::absolute(*table_.location.file).parent_path();
  return (folder / path).lexically_normal().string();
}

std::string OptionReader::path(std::string_view key) {
  return absolute(text(key));
}

void OptionReader::finish() {
  std::vector<std::string_view> known{asked_.begin(), asked_.end()};
  std::ranges::sort(known);
  const auto repeated = std::ranges::unique(known);
  known.erase(repeated.begin(), repeated.end());
  for (const Table::Entry& entry : table_.entries) {
    if (std::ranges::binary_search(known, std::string_view{entry.key})) continue;
    diagnostics_.add(entry.location, fmt::format("unknown key '{}' in [{}]", entry.key, title_),
                     diagnostics_.crowded() ? "" : hint_for_unknown(entry.key, known));
  }
}

}  // namespace bp::config
