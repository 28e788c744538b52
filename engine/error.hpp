// engine/error.hpp — the one exception type of the project.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace bp {

/// Whose fault it is, which is also what decides the exit status.
enum class Errc : std::uint8_t {
  config,       ///< the job file or a key is wrong; nothing was started
  source,       ///< a producer failed: bad exit status, read error
  transform,    ///< a codec or cipher failed
  destination,  ///< a sink refused or lost data
  timeout,      ///< a deadline passed
  cancelled,    ///< a signal or the caller asked us to stop
  peer_failed,  ///< consequence: the stage at the other end of an edge gave up
  internal,     ///< our bug
};

/// The code as a word, for reports and logs: "destination", "peer_failed".
[[nodiscard]] std::string_view to_string(Errc code) noexcept;

/// A failure with a code, a message for an administrator, and optionally what to do about it.
/// Cheap to copy and safe to rethrow from any thread: the body is shared and immutable.
class Error final : public std::exception {
 public:
  Error(Errc code, std::string message, std::string hint = {});

  /// Adds what was being done: "upload part 7 of s3://b/k: connection reset by peer".
  [[nodiscard]] Error within(std::string_view activity) const;
  /// Marks a failure that a second try may cure (throttling, a reset connection).
  [[nodiscard]] Error as_retryable() const;

  [[nodiscard]] Errc code() const noexcept;
  [[nodiscard]] bool retryable() const noexcept;
  /// True for cancelled and peer_failed: never reported as the cause of a job's failure.
  [[nodiscard]] bool is_consequence() const noexcept;
  [[nodiscard]] std::string_view hint() const noexcept;
  [[nodiscard]] const char* what() const noexcept override;

 private:
  struct Body;
  explicit Error(std::shared_ptr<const Body> body);
  std::shared_ptr<const Body> body_;
};

/// Any exception as an Error: ours unchanged, asio's operation_aborted as cancelled, bad_alloc and
/// everything else as internal with its text. Call it from a catch block's exception_ptr.
[[nodiscard]] Error to_error(const std::exception_ptr& failure);

/// "No space left on device" for ENOSPC: the text of an errno value, thread-safe.
[[nodiscard]] std::string system_reason(int errno_value);

}  // namespace bp
