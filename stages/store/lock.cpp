#include "stages/store/lock.hpp"

#include "stages/support/posix_file.hpp"
#include "stages/support/utc_time.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

namespace bp::stages {

namespace {

constexpr std::size_t max_lock_bytes = 4096;

/// False after somebody removed or replaced the file: then the lock is one on a file that nobody
/// else will ever look at.
bool still_has_the_name(int fd, const std::filesystem::path& file) {
  struct stat ours {
  }, named{};
  if (::fstat(fd, &ours) != 0 || ::stat(file.c_str(), &named) != 0) return false;
  return ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

std::string_view next_word(std::string_view& text) {
  const std::size_t end = text.find_first_of(" \n");
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

}  // namespace

std::string LockHolder::message() const {
  if (pid == 0) return "already running";
  return fmt::format("already running: pid {}, run {}, since {}", pid, run_id, since);
}

bool JobLock::try_lock(const std::string& run_id) {
  if (held()) return true;
  for (;;) {
    UniqueFd file{::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) throw file_error(Errc::internal, "open", file_, errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return false;
      if (errno == EINTR) continue;
      throw file_error(Errc::internal, "lock", file_, errno);
    }
    if (!still_has_the_name(file.get(), file_)) continue;

    const std::string text =
        fmt::format("{} {} {}\n", ::getpid(), utc_text(std::chrono::system_clock::now()), run_id);
    if (::ftruncate(file.get(), 0) != 0) throw file_error(Errc::internal, "write", file_, errno);
    if (const int reason = write_all(file.get(), std::as_bytes(std::span{text}))) {
      throw file_error(Errc::internal, "write", file_, reason);
    }
    locked_ = std::move(file);
    return true;
  }
}

LockHolder JobLock::holder() const {
  const std::string text = read_small_file(file_, max_lock_bytes).value_or("");
  std::string_view rest = text;
  const std::string_view pid = next_word(rest);
  LockHolder holder;
  if (std::from_chars(pid.data(), pid.data() + pid.size(), holder.pid).ec != std::errc{}) return {};
  holder.since = next_word(rest);
  holder.run_id = next_word(rest);
  return holder;
}

}  // namespace bp::stages
