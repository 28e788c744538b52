// config/diagnostics.hpp — everything that is wrong with a job file, collected to be shown at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bp::config {

/// A place in a file, 1-based, for messages.
struct Location {
  std::string file;
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
  /// Throws Errc::config with one line per diagnostic, in the order of the file, if there is any.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> all_;
};

}  // namespace bp::config
