// config/document.hpp — a TOML file as plain values that remember where they were written.
//
// The only file that sees toml++ is document.cpp. Before the parser gets the text, a lexical scan refuses
// what is known to crash or to choke it: files over 256 KiB, more than 32 dots or open brackets on a line
// outside strings (toml++ 3.3 overflows the stack on a 100 KB dotted key), NUL bytes and invalid UTF-8.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bp::config {

/// A place in a file, 1-based, for messages.
struct Location {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

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

  [[nodiscard]] const Entry* find(std::string_view key) const noexcept;
};

/// One TOML value. Dates and times are not used by job files and are refused by the loader.
class Value {
 public:
  using Data = std::variant<std::string, std::int64_t, double, bool, Array, Table>;
  Value(Data data, Location location);

  [[nodiscard]] const Data& data() const noexcept;
  [[nodiscard]] const Location& location() const noexcept;
  /// "a string", "an integer", "a table", …: for messages.
  [[nodiscard]] std::string_view type_name() const noexcept;

 private:
  Data data_;
  Location location_;
};

/// One problem in a job file.
struct Diagnostic {
  Location location;
  std::string message;
  std::string hint;
  /// "job.toml:12:9: unknown key 'levle' (did you mean 'level'?)"
  [[nodiscard]] std::string text() const;
};

/// Everything that is wrong with a job file, collected so that it can be shown at once.
/// Lives as long as the loading of one job file; not for several threads.
class Diagnostics {
 public:
  void add(Location location, std::string message, std::string hint = {});
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept;
  /// Throws Errc::config with one line per diagnostic, in the order of the file, if there is any.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> all_;
};

/// Parses TOML text. Throws Errc::config naming file, line and column; `name` is what messages call it.
[[nodiscard]] Table parse_toml(std::string_view text, const std::string& name);

/// What the ownership rules need to know about a file that was read.
struct FileFacts {
  std::filesystem::path real_path;
  std::uint32_t owner_uid = 0, owner_gid = 0, mode = 0;
  /// Readable by anybody beyond its owner, root and our own groups: no place for a literal secret.
  [[nodiscard]] bool readable_by_others() const;
};

/// Reads a job, include or secret file under the house rules: a regular file (the target of a symbolic
/// link counts, opened once and checked by descriptor), owned by root or by us, writable by nobody else,
/// at most `max_bytes`. Throws Errc::config with what is wrong and the command that mends it.
struct TrustedFile {
  std::string text;
  FileFacts facts;
};
[[nodiscard]] TrustedFile read_trusted_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace bp::config
