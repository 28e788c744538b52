// engine/reaper.hpp — where child processes go that nobody waits for any more.
//
// A destructor cannot wait, and an un-waited child is either a zombie or still holding a database
// lock. So ~ChildProcess hands its pid over, and the run does not end before the Reaper is empty.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bp {

namespace asio = boost::asio;

/// How a child ended, in wait4's words.
struct ChildEnd {
  int wait_status = 0;
  std::chrono::nanoseconds cpu{};
};
/// Collects a child that has ended, and ends what is left of the process group that it led: its
/// zombie keeps the group's number from being used again until then. Empty when it still runs.
/// Never waits.
[[nodiscard]] std::optional<ChildEnd> collect_child(pid_t pid) noexcept;

/// Ends children politely, then firmly: TERM to the group, grace, KILL, wait4. I/O thread only; one
/// per run, kept alive by its own coroutines until the last child is gone.
class Reaper {
 public:
  struct Child {
    pid_t pid;
    std::string name;  ///< for messages: "mysqldump"
    /// sudo relays TERM; KILL would kill sudo alone and orphan the root child behind it.
    bool may_kill = true;
    /// Called once with the CPU time that wait4 reported, when the child is gone; what it refers to
    /// must live until drain() found nothing left, or be kept by keep().
    std::function<void(std::chrono::nanoseconds)> gone;
  };

  Reaper(asio::any_io_executor io, std::chrono::milliseconds grace);
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  ~Reaper();

  /// Takes over a child that is its own process-group leader and sends TERM at once.
  void adopt(Child child);
  /// From now on children get this grace (a signal hurries us), counted from now for those already
  /// here; and drain() waits no longer than it, or a second, after their KILL.
  void hurry(std::chrono::milliseconds grace);
  /// Waits until every adopted child is gone. Returns the names of those that outlived KILL by
  /// `patience` (uninterruptible sleep, or a sudo child that ignores TERM): they are left behind.
  [[nodiscard]] asio::awaitable<std::vector<std::string>> drain(std::chrono::milliseconds patience);
  /// Keeps what the children's `gone` refers to until the last child is gone, however late that is.
  void keep(std::shared_ptr<void> needed);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace bp
