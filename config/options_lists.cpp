// config/options_lists.cpp — the getters of OptionReader for arrays, and for tables of strings.
#include "config/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <utility>

namespace bp::config {

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

std::vector<std::string> OptionReader::names(std::string_view key) {
  std::vector<std::string> result = list(key);
  std::set<std::string_view> seen;
  std::set<std::string_view> told;
  for (const std::string& name : result) {
    if (!seen.insert(name).second && told.insert(name).second) {
      fail(key, fmt::format("'{}' is twice in '{}'", name, key));
    }
  }
  return result;
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

}  // namespace bp::config
