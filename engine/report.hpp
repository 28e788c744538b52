// engine/report.hpp — what happened, as plain values: the report, exit status and manifest come
// from here.
#pragma once

#include "engine/error.hpp"
#include "engine/stage.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bp {

enum class Outcome : std::uint8_t {
  stored,
  stored_with_warnings,
  partly_stored,
  failed,
  cancelled
};

/// "stored", "stored_with_warnings", …: the words of the JSON report.
[[nodiscard]] std::string_view to_string(Outcome outcome) noexcept;

struct StageReport {
  std::string name;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::chrono::nanoseconds blocked_in{};   ///< waited for input
  std::chrono::nanoseconds blocked_out{};  ///< waited for room behind it
  std::chrono::nanoseconds cpu{};          ///< of its threads and children (wait4's rusage)
  std::map<std::string, std::string> notes;
};

struct SinkReport {
  std::string name;
  bool required = true;
  std::optional<Receipt> receipt;  ///< present = committed
  std::optional<Error> failure;
};

/// "3 files changed while they were read", with the names.
struct Warning {
  std::string stage;
  std::string text;
  std::vector<std::string> lines;
};

/// One source's graph.
struct SourceReport {
  std::string id, display_name, kind;
  Outcome outcome = Outcome::failed;
  bool started = false;          ///< false: refused at preflight, nothing ran
  std::optional<Error> cause;    ///< the first failure in time that is not a consequence
  std::vector<Error> secondary;  ///< later failures and failed clean-ups
  std::vector<Warning> warnings;
  std::vector<SinkReport> sinks;
  std::vector<StageReport> stages;
  std::vector<std::string> left_behind;  ///< what could not be removed, by name
  std::chrono::system_clock::time_point began, ended;
  std::size_t peak_chunks = 0;  ///< of the pool, to compare with the plan

  [[nodiscard]] const StageReport* find_stage(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t committed() const noexcept;  ///< sinks with a receipt
};

/// The whole job file: what notifiers, --report, the exit status and the manifest are made from.
struct RunReport {
  std::string run_id, job, hostname, version;
  std::chrono::system_clock::time_point began, ended;
  std::vector<SourceReport> sources;
  std::vector<std::string> warnings, left_behind;
};

/// The process's exit status; the worst source wins (6 > 130/143 > 1 > 3 > 0). `signal_number` is
/// the signal that stopped the run, or 0.
///   0 everything stored · 1 a required copy is missing · 2 refused at preflight, nothing started
///   3 stored, with warnings · 6 something may be left behind · 130/143 on SIGINT/SIGTERM
[[nodiscard]] int exit_status(const RunReport& report, int signal_number, bool warnings_ok);

}  // namespace bp
