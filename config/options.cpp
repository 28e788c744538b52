#include "config/options.hpp"

#include "config/suggest.hpp"
#include "config/units.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
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

template <class T>
const T* OptionReader::typed(std::string_view key, const Value* value, std::string_view wanted) {
  if (value == nullptr) return nullptr;
  const T* data = std::get_if<T>(&value->data());
  if (data == nullptr) {
    diagnostics_.add(value->location(),
                     fmt::format("'{}' must be {}, not {}", key, wanted, value->type_name()));
  }
  return data;
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

std::vector<std::string> OptionReader::strings(std::string_view key, const Value& value) {
  std::vector<std::string> result;
  if (const auto* text = std::get_if<std::string>(&value.data())) return {*text};
  const auto* array = std::get_if<Array>(&value.data());
  if (array == nullptr) {
    diagnostics_.add(value.location(), fmt::format("'{}' must be an array of strings, not {}", key,
                                                   value.type_name()));
    return result;
  }
  for (const Value& element : *array) {
    if (const auto* text = std::get_if<std::string>(&element.data())) {
      result.push_back(*text);
    } else {
      diagnostics_.add(element.location(),
                       fmt::format("'{}' must hold strings, not {}", key, element.type_name()));
    }
  }
  return result;
}

std::vector<std::string> OptionReader::list(std::string_view key) {
  const Value* value = take(key);
  std::vector<std::string> result;
  if (value != nullptr) result = strings(key, *value);
  resolve(key, value, fmt::format("[{}]", fmt::join(result, ", ")));
  return result;
}

std::string OptionReader::absolute(std::string path) const {
  if (path.empty() || path.front() == '/') return path;
  const std::filesystem::path folder =
      std::filesystem::absolute(table_.location.file).parent_path();
  return (folder / path).lexically_normal().string();
}

std::string OptionReader::path(std::string_view key) {
  return absolute(text(key));
}

std::vector<std::string> OptionReader::paths(std::string_view key) {
  std::vector<std::string> result = list(key);
  for (std::string& path : result) path = absolute(std::move(path));
  return result;
}

std::vector<int> OptionReader::integers(std::string_view key, std::vector<int> fallback, int min,
                                        int max) {
  const Value* value = take(key);
  if (const auto* array = typed<Array>(key, value, "an array of integers")) {
    fallback.clear();
    for (const Value& element : *array) {
      const auto* number = std::get_if<std::int64_t>(&element.data());
      if (number == nullptr || *number < min || *number > max) {
        diagnostics_.add(element.location(),
                         fmt::format("'{}' must hold integers between {} and {}", key, min, max));
        continue;
      }
      fallback.push_back(static_cast<int>(*number));
    }
  }
  resolve(key, value, fmt::format("[{}]", fmt::join(fallback, ", ")));
  return fallback;
}

std::vector<std::string> OptionReader::argv(std::string_view key) {
  const Value* value = require(key);
  if (value == nullptr) return {};
  if (std::holds_alternative<std::string>(value->data())) {
    diagnostics_.add(value->location(),
                     fmt::format("'{}' must be an array: the program and its arguments", key),
                     "no shell is ever used: write [\"program\", \"argument\"]");
    return {};
  }
  std::vector<std::string> words = strings(key, *value);
  if (words.empty() || words.front().empty()) fail(key, fmt::format("'{}' names no program", key));
  resolve(key, value, fmt::format("[{}]", fmt::join(words, ", ")));
  return words;
}

std::vector<std::pair<std::string, std::string>> OptionReader::environment(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> variables;
  const Value* value = take(key);
  const auto* table = typed<Table>(key, value, "a table of strings");
  if (table == nullptr) return variables;
  const auto is_name = [](std::string_view name) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    return !name.empty() && letters.find(name.front()) != std::string_view::npos &&
           name.find_first_not_of(
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") ==
               std::string_view::npos;
  };
  for (const Table::Entry& entry : table->entries) {
    const auto* text = std::get_if<std::string>(&entry.value->data());
    if (text == nullptr || !is_name(entry.key)) {
      diagnostics_.add(entry.location,
                       fmt::format("'{}' in '{}' is no environment variable", entry.key, key),
                       "like LC_ALL = \"C\"");
      continue;
    }
    variables.emplace_back(entry.key, *text);
  }
  std::vector<std::string> names;
  for (const auto& [name, text] : variables) names.push_back(name);
  resolve(key, value, fmt::format("{{{}}}", fmt::join(names, ", ")));
  return variables;
}

SecretRef OptionReader::environment_secret(const std::string& name, std::string place) {
  environment_secrets_.push_back(name);
  SecretRef::Environment from{.name = name};
  if (const char* const value = std::getenv(name.c_str())) from.value = Secret{value};
  return SecretRef{std::move(from), std::move(place)};
}

std::optional<SecretRef> OptionReader::read_secret(std::string_view key, const Value& value) {
  const std::string place = where(key);
  if (const auto* literal = std::get_if<std::string>(&value.data())) {
    if (literal->empty()) {
      fail(key, fmt::format("'{}' is empty", key));
      return std::nullopt;
    }
    if (!literal_secrets_ok_) {
      fail(key, fmt::format("'{}' is written in a file that others can read", key),
           "chmod 600 the job file, or use { file = \"…\" }");
      return std::nullopt;
    }
    return SecretRef{SecretRef::Literal{Secret{*literal}}, place};
  }
  const auto* table = std::get_if<Table>(&value.data());
  if (table != nullptr && table->entries.size() == 1) {
    const Table::Entry& only = table->entries.front();
    const auto* text = std::get_if<std::string>(&only.value->data());
    const bool named = text != nullptr && !text->empty();
    if (only.key == "env" && named) return environment_secret(*text, place);
    if (only.key == "file" && named) return SecretRef{SecretRef::File{absolute(*text)}, place};
    if (only.key == "credential" && named && text->find('/') == std::string::npos) {
      return SecretRef{SecretRef::Credential{*text}, place};
    }
    if (only.key == "command" && std::holds_alternative<Array>(only.value->data())) {
      std::vector<std::string> words = strings("command", *only.value);
      if (!words.empty() && !words.front().empty()) {
        return SecretRef{SecretRef::Command{std::move(words)}, place};
      }
    }
  }
  diagnostics_.add(
      value.location(), fmt::format("'{}' must be a secret", key),
      "{ file = \"/path\" }, { env = \"NAME\" }, { command = [\"pass\", \"show\", \"x\"] }, "
      "{ credential = \"x\" } or a string");
  return std::nullopt;
}

std::optional<SecretRef> OptionReader::optional_secret(std::string_view key) {
  const Value* value = take(key);
  if (value == nullptr) return std::nullopt;
  std::optional<SecretRef> secret = read_secret(key, *value);
  if (secret) resolve(key, value, secret->describe());
  return secret;
}

std::optional<SecretRef> OptionReader::secret(std::string_view key) {
  if (require(key) == nullptr) return std::nullopt;
  return optional_secret(key);
}

void OptionReader::finish() {
  std::vector<std::string_view> known{asked_.begin(), asked_.end()};
  std::ranges::sort(known);
  const auto repeated = std::ranges::unique(known);
  known.erase(repeated.begin(), repeated.end());
  for (const Table::Entry& entry : table_.entries) {
    if (std::ranges::binary_search(known, std::string_view{entry.key})) continue;
    const auto nearest = nearest_name(entry.key, known);
    diagnostics_.add(entry.location, fmt::format("unknown key '{}' in [{}]", entry.key, title_),
                     nearest ? fmt::format("did you mean '{}'?", *nearest)
                             : fmt::format("known: {}", fmt::join(known, ", ")));
  }
}

}  // namespace bp::config
