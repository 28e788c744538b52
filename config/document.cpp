#include "config/document.hpp"

#include "config/lexical_guard.hpp"
#include "engine/error.hpp"

#include <fmt/format.h>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <utility>

namespace bp::config {

namespace {

using FileName = std::shared_ptr<const std::string>;

Location location_of(const toml::source_region& region, const FileName& name) {
  return {.file = name,
          .line = static_cast<std::uint32_t>(region.begin.line),
          .column = static_cast<std::uint32_t>(region.begin.column)};
}

bool has_control_character(std::string_view text, std::string_view but) {
  return std::ranges::any_of(text, [but](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 || byte == 0x7F) && but.find(c) == std::string_view::npos;
  });
}

Error refused(const Location& where, std::string_view message) {
  return Error{Errc::config, fmt::format("{}: {}", where.text(), message)};
}

Value convert(const toml::node& node, const FileName& name);

Table convert_table(const toml::table& table, const FileName& name) {
  Table result;
  result.location = location_of(table.source(), name);
  for (const auto& [key, node] : table) {
    const Location where = location_of(key.source(), name);
    if (has_control_character(key.str(), ""))
      throw refused(where, "a key with a control character");
    Table::Entry entry{.key = std::string{key.str()},
                       .location = where,
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
  // Escape sequences would reach the terminal with the next message that quotes the value.
  if (has_control_character(text, "\t\n\r")) {
    throw refused(where, "a string with a control character other than tab and line break");
  }
  return text;
}

Value convert(const toml::node& node, const FileName& name) {
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
/// what. A value at the beginning ("'0x…' is not representable") is cut: it may be a passphrase
/// without its quotes.
std::string what_is_wrong(std::string_view description) {
  const std::size_t colon = description.find(": ");
  if (description.starts_with("Error while parsing") && colon != std::string_view::npos) {
    description.remove_prefix(colon + 2);
  }
  const std::size_t quote =
      description.starts_with('\'') ? description.find("' ") : std::string_view::npos;
  if (quote == std::string_view::npos) return std::string{description};
  return fmt::format("this value {}", description.substr(quote + 2));
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
  const auto shared_name = std::make_shared<const std::string>(name);
  try {
    return convert_table(toml::parse(text), shared_name);
  } catch (const toml::parse_error& error) {
    throw refused(location_of(error.source(), shared_name), what_is_wrong(error.description()));
  }
}

}  // namespace bp::config
