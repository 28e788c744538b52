// tools/job_state.hpp — the lock, journal and history that one run of a job works with.
#pragma once

#include "stages/loaded_job.hpp"
#include "stages/store/history.hpp"
#include "stages/store/journal.hpp"
#include "stages/store/lock.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace bp::tools {

/// Without a state directory everything is null and `warnings` says why; the run goes on. Keep it
/// until the run is over: the lock goes with it.
struct JobState {
  std::unique_ptr<stages::JobLock> lock;
  std::unique_ptr<stages::Journal> journal;
  std::unique_ptr<stages::History> history;
  std::vector<std::string> warnings;
};

/// Another run of the same job has the lock.
struct AlreadyRunning {
  std::string message;
};

/// Finds the state directory and takes the lock, waiting up to `patience` for another run. Throws
/// AlreadyRunning, or Error. I/O thread.
[[nodiscard]] boost::asio::awaitable<JobState> take_job_state(const stages::LoadedJob& job,
                                                              std::string run_id,
                                                              std::chrono::seconds patience,
                                                              std::stop_token stop);

}  // namespace bp::tools
