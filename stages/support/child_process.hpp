// stages/support/child_process.hpp — a child whose end is seen, whatever way it ends.
//
// End-of-file on a pipe says only that somebody closed it: a dump that died closed it, too. So a
// caller reads to the end and *then* asks exited(). A child runs in its own session and process
// group, with default signals, an allow-listed environment, no descriptor but those granted, and
// dies with us (PDEATHSIG).
#pragma once

#include "engine/stage.hpp"
#include "stages/support/child_environment.hpp"
#include "stages/support/spawn.hpp"

#include <boost/asio/awaitable.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bp::stages {

struct ExitStatus {
  int code = 0;    ///< of exit(); meaningless when a signal ended it
  int signal = 0;  ///< 0: it exited by itself
  /// "exit status 2" or "killed by signal 9 (Killed)".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool success() const noexcept { return code == 0 && signal == 0; }
};

struct ChildOptions {
  std::vector<std::string> argv;  ///< argv[0]: a path, or a name looked up in PATH
  std::vector<std::pair<std::string, std::string>> environment{};  ///< besides the allow-list
  std::string working_directory{};                                 ///< empty: ours
  bool feed_stdin = false;           ///< a pipe for feed(); otherwise /dev/null
  std::vector<GrantedFd> grant{};    ///< the child's numbers are 3 or more; ours stay ours to close
  std::optional<int> nice{};         ///< added to our own niceness
  std::optional<int> io_priority{};  ///< from parse_io_priority()
  bool sudo = false;  ///< argv[0] is sudo: TERM only, since KILL would orphan the root child
  /// How long we wait for it without a byte moving. Time in which it waits for us does not count.
  std::optional<std::chrono::milliseconds> idle_limit{};
  std::optional<std::chrono::milliseconds> time_limit{};  ///< for its whole life
};

/// A running child: stdout piped to us, stderr drained all the time and its last 64 KiB kept.
/// Destroying it decides nothing about a backup: the pid goes to the run's Reaper. I/O thread only.
/// Waits throw Errc::timeout when a limit passed. The process must ignore SIGPIPE if it feeds
/// children.
class ChildProcess {
 public:
  /// Throws Errc::source ("unable to start 'mysqldump': not found in PATH") without leaving a
  /// zombie. `ctx` must outlive the child, also when the Reaper has it (the runner keeps contexts
  /// until that is drained).
  [[nodiscard]] static ChildProcess start(StageContext& ctx, ChildOptions options);
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;
  ~ChildProcess();

  /// Reads stdout until `buffer` is full. False at end of file. `buffer` must outlive the call.
  /// Throws Errc::source when the child has ended and somebody else keeps its stdout open without a
  /// word.
  [[nodiscard]] asio::awaitable<bool> fill(Buffer& buffer);
  /// Reads some bytes of stdout into `space`, not empty; 0 at end of file. Otherwise as fill().
  [[nodiscard]] asio::awaitable<std::size_t> read_some(std::span<std::byte> space);
  /// Writes all of `bytes` to stdin. False when the child no longer reads; its exit status says
  /// why.
  [[nodiscard]] asio::awaitable<bool> feed(std::span<const std::byte> bytes);
  /// What it was fed and has not read yet. Until finish_stdin().
  [[nodiscard]] std::size_t unread_input() const;
  /// Closes stdin: the child sees its end of file.
  void finish_stdin() noexcept;
  /// True once it has ended, as the kernel knows it now. Until exited().
  [[nodiscard]] bool has_ended() const noexcept;

  /// Waits for its end, then for the end of stderr (two seconds at most: somebody else may hold
  /// it), ends what is left of its process group, and reports its CPU time to the context. Callable
  /// once.
  [[nodiscard]] asio::awaitable<ExitStatus> exited();

  [[nodiscard]] pid_t pid() const noexcept;
  /// What messages call it: the program that does the work, not the sudo in front of it.
  [[nodiscard]] const std::string& name() const noexcept;
  /// The last 64 KiB of stderr so far.
  [[nodiscard]] std::string stderr_tail() const;
  /// Its last non-empty lines, at most `count`, joined by "; ": for one-line messages.
  [[nodiscard]] std::string last_words(std::size_t count = 3) const;
  /// When a byte last moved in or out of it, for an idle watchdog.
  [[nodiscard]] std::chrono::steady_clock::time_point last_activity() const noexcept;

 private:
  struct State;
  explicit ChildProcess(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// What a short helper command printed and how it ended.
struct CommandResult {
  ExitStatus status;
  std::string output;  ///< stdout, at most `max_output` bytes
  std::string errors;  ///< the tail of stderr
};
/// Runs a child to its end with nothing on stdin: for preflight checks and command secrets. Throws
/// Errc::timeout after `limit`, Errc::source when it prints more than `max_output` bytes or cannot
/// be started.
[[nodiscard]] asio::awaitable<CommandResult> run_command(StageContext& ctx, ChildOptions options,
                                                         std::chrono::seconds limit,
                                                         std::size_t max_output);

}  // namespace bp::stages
