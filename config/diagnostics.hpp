// config/diagnostics.hpp — everything that is wrong with a job file, collected to be shown at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bp::config {

/// A place in a file, 1-based, for messages. The file's name is shared: one file has thousands of
/// places.
struct Location {
  std::shared_ptr<const std::string> file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  /// "job.toml:12:9"
  [[nodiscard]] std::string text() const;
};

/// One problem in a job file.
struct Diagnostic {
  Location location;
  std::string message;
  std::string hint;
  /// "job.toml:12:9: unknown key 'levle' (did you mean 'level'?)"
  [[nodiscard]] std::string text() const;
};

/// Lives as long as the loading of one job file; not for several threads.
class Diagnostics {
 public:
  void add(Location location, std::string message, std::string hint = {});
  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }
  /// So many problems that hints help nobody: looking for nearest names costs time by the square of
  /// the file.
  [[nodiscard]] bool crowded() const noexcept { return all_.size() >= most_shown; }
  /// Throws Errc::config with one line per diagnostic, in the order of the file, if there is any.
  /// The lines beyond the first hundred are counted only.
  void throw_if_any() const;

 private:
  static constexpr std::size_t most_shown = 100;
  std::vector<Diagnostic> all_;
};

}  // namespace bp::config
