#include "config/document.hpp"

#include "config/lexical_guard.hpp"
#include "engine/error.hpp"

#include <fmt/format.h>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

namespace bp::config {

namespace {

Location location_of(const toml::source_region& region, const std::string& name) {
  return {.file = name,
          .line = static_cast<std::uint32_t>(region.begin.line),
          .column = static_cast<std::uint32_t>(region.begin.column)};
}

Error refused(const Location& where, std::string_view message) {
  return Error{Errc::config, fmt::format("{}: {}", where.text(), message)};
}

Value convert(const toml::node& node, const std::string& name);

Table convert_table(const toml::table& table, const std::string& name) {
  Table result;
  result.location = location_of(table.source(), name);
  for (const auto& [key, node] : table) {
    Table::Entry entry{.key = std::string{key.str()},
                       .location = location_of(key.source(), name),
                       .value = std::make_shared<const Value>(convert(node, name))};
    result.entries.push_back(std::move(entry));
  }
  // toml++ sorts by key; people read from top to bottom.
  std::ranges::stable_sort(result.entries, {}, [](const Table::Entry& entry) {
    return std::pair{entry.location.line, entry.location.column};
  });
  return result;
}

std::string checked_text(const std::string& text, const Location& where) {
  // "\u0000" is legal TOML and ends a C string early: in a path or an argument it can only be an
  // attack.
  if (text.find('\0') != std::string::npos) throw refused(where, "a string with a NUL character");
  return text;
}

Value convert(const toml::node& node, const std::string& name) {
  const Location where = location_of(node.source(), name);
  if (const auto* text = node.as_string()) return {checked_text(text->get(), where), where};
  if (const auto* number = node.as_integer()) return {std::int64_t{number->get()}, where};
  if (const auto* number = node.as_floating_point()) return {number->get(), where};
  if (const auto* flag = node.as_boolean()) return {flag->get(), where};
  if (const auto* table = node.as_table()) return {convert_table(*table, name), where};
  if (const auto* array = node.as_array()) {
    Array values;
    for (const toml::node& element : *array) values.push_back(convert(element, name));
    return {std::move(values), where};
  }
  throw refused(where, "dates and times are not used in job files; write a string");
}

/// "Error while parsing key-value pair: cannot redefine …": the place says where, the rest says
/// what.
std::string_view without_preamble(std::string_view description) {
  const std::size_t colon = description.find(": ");
  const bool has_preamble =
      description.starts_with("Error while parsing") && colon != std::string_view::npos;
  return has_preamble ? description.substr(colon + 2) : description;
}

}  // namespace

const Table::Entry* Table::find(std::string_view key) const noexcept {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

Value::Value(Data data, Location location)
    : data_{std::move(data)}, location_{std::move(location)} {}

std::string_view Value::type_name() const noexcept {
  constexpr std::array<std::string_view, 6> names{"a string",  "an integer", "a number",
                                                  "a boolean", "an array",   "a table"};
  return names[data_.index()];
}

Table parse_toml(std::string_view text, const std::string& name) {
  guard_toml(text, name);
  try {
    return convert_table(toml::parse(text, name), name);
  } catch (const toml::parse_error& error) {
    throw refused(location_of(error.source(), name), without_preamble(error.description()));
  }
}

}  // namespace bp::config
