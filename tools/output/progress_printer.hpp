// tools/output/progress_printer.hpp — `run --progress`: shows every running source as was asked
// for.
#pragma once

#include "tools/output/live_view.hpp"
#include "tools/output/progress.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bp::tools {

enum class ProgressMode : std::uint8_t { off, live, plain, json };

/// "auto": live on a terminal that can draw, else off. Empty for a word that is none.
[[nodiscard]] std::optional<ProgressMode> progress_mode(std::string_view word);

/// Prints to standard error. I/O thread; while it lives, log lines keep clear of the live view.
class ProgressPrinter {
 public:
  /// What a source's raw stream is expected to measure.
  using Expected = std::function<std::optional<std::uint64_t>(const std::string& source)>;

  ProgressPrinter(ProgressMode mode, Expected expected);
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;
  ~ProgressPrinter();

  void observe(std::string_view source, const Progress& progress);
  /// The source has ended: it is shown no more.
  void finish(std::string_view source);

 private:
  using Clock = std::chrono::steady_clock;
  struct Shown {
    SourceProgress progress;
    Clock::time_point last_taken, last_printed;
  };
  void draw();

  ProgressMode mode_;
  Expected expected_;
  std::map<std::string, Shown, std::less<>> sources_;
  std::unique_ptr<LiveView> view_;
};

}  // namespace bp::tools
