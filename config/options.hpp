// config/options.hpp — typed access to one table of a job file; remembers which keys were asked
// for.
//
// A stage knows its options, not TOML; this class knows TOML's types, not the stages. Getters never
// throw for bad input: they record a diagnostic and return something harmless, so that one pass
// over a job file finds all of its errors. Whoever made the reader throws the product away when
// there were any.
#pragma once

#include "config/document.hpp"
#include "config/secret.hpp"

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace bp::config {

struct IntegerRule {
  std::optional<long> fallback;  ///< none: the key is required
  long min;
  long max;
};

/// One setting as it was understood, for `plan --resolved`.
struct ResolvedOption {
  std::string key;
  std::string value;   ///< printable; a secret shows where it comes from
  std::string origin;  ///< "job.toml:12:1" or "default"
};

/// Reads the keys of one table, e.g. [source.etc]. Not copyable; one reader per table and load.
class OptionReader {
 public:
  /// `title` is how messages name the table: "source.etc". `literal_secrets_ok` is false when the
  /// file can be read by others, which makes a literal secret an error.
  OptionReader(const Table& table, std::string title, Diagnostics& diagnostics,
               bool literal_secrets_ok);
  OptionReader(const OptionReader&) = delete;
  OptionReader& operator=(const OptionReader&) = delete;

  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] std::string text(std::string_view key);  ///< required, not empty
  [[nodiscard]] std::string text(std::string_view key, std::string fallback);
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view key);
  /// A path: as it is when absolute, else below the job file's folder. Required.
  [[nodiscard]] std::string path(std::string_view key);
  [[nodiscard]] std::vector<std::string> paths(std::string_view key);  ///< a list; missing: empty
  /// One of a few words; the error lists them and names the nearest.
  [[nodiscard]] std::string choice(std::string_view key, std::string fallback,
                                   std::initializer_list<std::string_view> allowed);
  [[nodiscard]] long integer(std::string_view key, IntegerRule rule);
  /// The same, or a word that stands for a number: level = "fast".
  [[nodiscard]] long integer_or_word(std::string_view key, IntegerRule rule,
                                     std::pair<std::string_view, long> word);
  [[nodiscard]] bool flag(std::string_view key, bool fallback);
  /// Bytes: "64MiB", "1.5 GB", 65536. Powers of 1024 with an i, of 1000 without.
  [[nodiscard]] std::size_t size(std::string_view key, std::size_t fallback);
  [[nodiscard]] std::optional<std::size_t> optional_size(std::string_view key);
  /// "90s", "5m", "2h30m", "1d", or a number of seconds.
  [[nodiscard]] std::chrono::seconds duration(std::string_view key, std::chrono::seconds fallback);
  [[nodiscard]] std::optional<std::chrono::seconds> optional_duration(std::string_view key);
  /// An array of strings, or one string. Missing: empty.
  [[nodiscard]] std::vector<std::string> list(std::string_view key);
  /// A list in which nothing may be twice.
  [[nodiscard]] std::vector<std::string> names(std::string_view key);
  /// Exit statuses and other small numbers: an array of integers within [min, max], or the
  /// fallback.
  [[nodiscard]] std::vector<int> integers(std::string_view key, std::vector<int> fallback, int min,
                                          int max);
  /// A program and its arguments: an array of at least one string, the first not empty. Required.
  [[nodiscard]] std::vector<std::string> argv(std::string_view key);
  /// Environment for a child: a table of strings. Names must match [A-Za-z_][A-Za-z0-9_]*.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> environment(std::string_view key);
  /// { env = "NAME" } | { file = "/path" } | { command = ["pass", "show", "x"] } | { credential =
  /// "x" }; or a literal, which is accepted only in a file that nobody else can read.
  [[nodiscard]] std::optional<SecretRef> optional_secret(std::string_view key);
  [[nodiscard]] std::optional<SecretRef> secret(std::string_view key);  ///< required

  /// Records a problem of the value of `key` (or of the table, when the key is absent).
  void fail(std::string_view key, std::string message, std::string hint = {});
  /// "job.toml:12:14: 'passphrase'" for later messages; the table's own place if the key is absent.
  [[nodiscard]] std::string where(std::string_view key) const;
  /// Where the key is written; the table's own place if it is absent.
  [[nodiscard]] Location location(std::string_view key) const;
  [[nodiscard]] const std::string& title() const noexcept;

  /// Marks a key as known without reading it (another layer reads it).
  void accept(std::string_view key);
  [[nodiscard]] const std::vector<ResolvedOption>& resolved() const noexcept { return resolved_; }
  /// The environment variables that were read as secrets.
  [[nodiscard]] const std::vector<std::string>& environment_secrets() const noexcept {
    return environment_secrets_;
  }
  /// Records every key that nobody asked for, with the nearest known one as a hint. Call it last.
  void finish();

 private:
  const Value* take(std::string_view key);
  const Value* require(std::string_view key);
  /// Null, with a diagnostic unless there is no value at all, when the value is of another type.
  template <class T>
  const T* typed(std::string_view key, const Value* value, std::string_view wanted) {
    if (value == nullptr) return nullptr;
    const T* data = std::get_if<T>(&value->data());
    if (data == nullptr) wrong_type(key, *value, wanted);
    return data;
  }
  void wrong_type(std::string_view key, const Value& value, std::string_view wanted);
  std::vector<std::string> strings(std::string_view key, const Value& value);
  std::string absolute(std::string path) const;
  SecretRef environment_secret(const std::string& name, std::string place);
  std::optional<SecretRef> read_secret(std::string_view key, const Value& value);
  void resolve(std::string_view key, const Value* value, std::string text);

  const Table& table_;
  std::string title_;
  Diagnostics& diagnostics_;
  bool literal_secrets_ok_;
  std::vector<std::string> asked_;
  std::vector<ResolvedOption> resolved_;
  std::vector<std::string> environment_secrets_;
};

}  // namespace bp::config
