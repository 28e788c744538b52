// engine/run_report.hpp — from the state of a run to what is told about it. Internal to the runner.
#pragma once

#include "engine/report.hpp"
#include "engine/run.hpp"

namespace bp::detail {

class RunState;

/// Where the run is just now. I/O thread.
[[nodiscard]] Progress progress_of(const RunState& state);

/// The report and verdict of a run whose stages have all ended or are quarantined. Also audits the
/// pool: what does not add up is told as a warning. I/O thread.
[[nodiscard]] SourceReport conclude(RunState& state);

}  // namespace bp::detail
