// stages/store/lock.hpp — one run of a job at a time.
//
// The lock is the kernel's (flock), so it ends with the process that holds it, however that ends;
// there are no stale locks. What the file says is for people only. The descriptor closes on exec; a
// process that is forked without exec must close it, or the lock outlives us.
#pragma once

#include "stages/support/unique_fd.hpp"

#include <filesystem>
#include <string>

namespace bp::stages {

/// Who holds a lock, as far as its file says; the text may be empty for a moment after the start.
struct LockHolder {
  long pid = 0;
  std::string run_id;
  std::string since;  ///< 2026-11-23T02:00:00Z

  /// "already running: pid 123, run 20261123-020000-a1, since 2026-11-23T02:00:00Z"
  [[nodiscard]] std::string message() const;
};

/// The lock of one job. Destroying it gives the lock back. Not for several threads.
class JobLock {
 public:
  explicit JobLock(std::filesystem::path file) : file_{std::move(file)} {}

  /// Takes the lock if it is free. Never waits: to wait for another run, try again after a pause.
  /// Throws Errc::internal when the file cannot be used.
  [[nodiscard]] bool try_lock(const std::string& run_id);
  [[nodiscard]] bool held() const noexcept { return static_cast<bool>(locked_); }
  /// Who has it. Throws as try_lock().
  [[nodiscard]] LockHolder holder() const;

 private:
  std::filesystem::path file_;
  UniqueFd locked_;
};

}  // namespace bp::stages
