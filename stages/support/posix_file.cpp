#include "stages/support/posix_file.hpp"

#include "stages/support/unique_fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace bp::stages {

namespace {

std::string hint_for(int errno_value) {
  switch (errno_value) {
    case ENOSPC:
      return "Free some space there, or let retention remove old backups earlier.";
    case EDQUOT:
      return "The quota of the user that backup-pipe runs as is used up.";
    case EROFS:
      return "It is mounted read-only; look into the kernel log for disk errors.";
    case EACCES:
    case EPERM:
      return "Check its owner and mode, and the user that backup-pipe runs as.";
    case EIO:
      return "Look into the kernel log: the disk or the network file system has failed.";
    case ENAMETOOLONG:
      return "Shorten the object template or the names of the sources.";
    default:
      return {};
  }
}

std::string read_all(int fd, const std::filesystem::path& path, std::size_t max_bytes) {
  std::string text;
  std::array<char, 16384> block{};
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw file_error(Errc::internal, "read", path, errno);
    if (got == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > max_bytes) throw file_error(Errc::internal, "read", path, EFBIG);
  }
}

}  // namespace

Error file_error(Errc code, std::string_view activity, const std::filesystem::path& path,
                 int errno_value) {
  return Error{
      code,
      fmt::format("unable to {} '{}': {}", activity, path.native(), system_reason(errno_value)),
      hint_for(errno_value)};
}

int write_all(int fd, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;  // a file that takes nothing would keep us here for ever
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

int sync_file(int fd) noexcept {
  return ::fsync(fd) == 0 ? 0 : errno;
}

int sync_folder(int fd) noexcept {
  const int reason = sync_file(fd);
  return reason == EINVAL ? 0 : reason;
}

std::optional<std::string> read_small_file(const std::filesystem::path& path,
                                           std::size_t max_bytes) {
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) throw file_error(Errc::internal, "open", path, errno);
  return read_all(file.get(), path, max_bytes);
}

void replace_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::path fresh = path;
  fresh += ".new";
  ::unlink(fresh.c_str());  // a crash may have left one; its content has never counted
  const UniqueFd file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file) throw file_error(Errc::internal, "create", fresh, errno);
  if (const int reason = write_all(file.get(), std::as_bytes(std::span{text}))) {
    throw file_error(Errc::internal, "write", fresh, reason);
  }
  if (const int reason = sync_file(file.get())) {
    throw file_error(Errc::internal, "sync", fresh, reason);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    throw file_error(Errc::internal, "rename", fresh, errno);
  }
  const UniqueFd folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder) throw file_error(Errc::internal, "open", path.parent_path(), errno);
  if (const int reason = sync_folder(folder.get())) {
    throw file_error(Errc::internal, "sync", path.parent_path(), reason);
  }
}

}  // namespace bp::stages
