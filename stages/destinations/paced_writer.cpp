#include "stages/destinations/paced_writer.hpp"

#include "stages/support/posix_file.hpp"

#include <fcntl.h>

#include <cerrno>

namespace bp::stages {

namespace {

/// The kernel reports a lost page once. This call may be the one that is told, and the fsync at the
/// end then hears nothing of it, so its answer counts. Not being supported is no answer.
int push_out(int fd, std::uint64_t offset, std::uint64_t length, unsigned flags) noexcept {
  if (::sync_file_range(fd, static_cast<off64_t>(offset), static_cast<off64_t>(length), flags) ==
      0) {
    return 0;
  }
  const bool unsupported =
      errno == ENOSYS || errno == EINVAL || errno == ESPIPE || errno == EOPNOTSUPP;
  return unsupported ? 0 : errno;
}

}  // namespace

int PacedWriter::write(std::span<const std::byte> bytes) noexcept {
  if (const int reason = write_all(fd_, bytes)) return reason;
  written_ += bytes.size();
  return durable_ ? pass_on_windows() : 0;
}

int PacedWriter::pass_on_windows() noexcept {
  while (written_ - started_ >= window_bytes) {
    if (const int reason = push_out(fd_, started_, window_bytes, SYNC_FILE_RANGE_WRITE))
      return reason;
    if (started_ > settled_) {
      constexpr unsigned write_and_wait =
          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
      const std::uint64_t length = started_ - settled_;
      if (const int reason = push_out(fd_, settled_, length, write_and_wait)) return reason;
      ::posix_fadvise(fd_, static_cast<off_t>(settled_), static_cast<off_t>(length),
                      POSIX_FADV_DONTNEED);
      settled_ = started_;
    }
    started_ += window_bytes;
  }
  return 0;
}

}  // namespace bp::stages
