// config/document.hpp — a TOML file as plain values that remember where they were written.
//
// The only file that sees toml++ is document.cpp. Before the parser gets the text, a lexical scan
// (lexical_guard) refuses what is known to crash it.
#pragma once

#include "config/diagnostics.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bp::config {

class Value;
using Array = std::vector<Value>;

/// A table in the order of the file; keys are unique (TOML guarantees it).
struct Table {
  struct Entry {
    std::string key;
    Location location;  ///< of the key
    std::shared_ptr<const Value> value;
  };
  Location location;
  std::vector<Entry> entries;

  /// Null for a key that is not there.
  [[nodiscard]] const Entry* find(std::string_view key) const noexcept;
};

/// One TOML value. Dates and times are not used by job files and are refused by the parser.
class Value {
 public:
  using Data = std::variant<std::string, std::int64_t, double, bool, Array, Table>;
  Value(Data data, Location location);

  [[nodiscard]] const Data& data() const noexcept { return data_; }
  [[nodiscard]] const Location& location() const noexcept { return location_; }
  /// "a string", "an integer", "a table", …: for messages.
  [[nodiscard]] std::string_view type_name() const noexcept;

 private:
  Data data_;
  Location location_;
};

/// Parses TOML text. Throws Errc::config naming file, line and column; `name` is what messages call
/// it.
[[nodiscard]] Table parse_toml(std::string_view text, const std::string& name);

}  // namespace bp::config
