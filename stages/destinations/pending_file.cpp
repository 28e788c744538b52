#include "stages/destinations/pending_file.hpp"

#include "stages/store/journal.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace bp::stages {

namespace {

/// The way in which an unprivileged process can name an unnamed file.
std::string proc_name(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

/// A file that could not be named later; not if the file system or the machine (no /proc) cannot do
/// it.
UniqueFd open_unnamed(int folder) {
  UniqueFd file{::openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)};
  if (file && ::access(proc_name(file.get()).c_str(), F_OK) != 0) return {};
  return file;
}

bool is_unsupported(int reason) noexcept {
  return reason == EINVAL || reason == ENOSYS || reason == EOPNOTSUPP || reason == EPERM ||
         reason == EMLINK;
}

int rename_with(int folder, const std::string& from, const std::string& to,
                unsigned flags) noexcept {
  return ::renameat2(folder, from.c_str(), folder, to.c_str(), flags) == 0 ? 0 : errno;
}

}  // namespace

int PendingFile::open(int folder, Temporary temporary) {
  if (temporary == Temporary::unnamed_if_possible) file_ = open_unnamed(folder);
  unnamed_ = static_cast<bool>(file_);
  if (unnamed_) return 0;
  announce_part();
  file_ = UniqueFd{::openat(folder, names_.part.c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (file_) return 0;
  const int reason = errno;
  if (reason == EEXIST) has_part_ = false;  // not ours to remove
  if (const int left = drop_part(folder)) return left;
  return reason;
}

int PendingFile::finish() noexcept {
  if (!file_ || ::close(file_.release()) == 0) return 0;
  return errno;
}

void PendingFile::announce_part() {
  if (names_.journal != nullptr && !journalled_) {
    journalled_ = names_.journal->begin("part-file", names_.owner, names_.locator);
  }
  has_part_ = true;
}

int PendingFile::publish(int folder, bool replace) {
  int reason = unnamed_ ? link_unnamed(folder, names_.leaf) : rename_part(folder);
  if (reason == 0) shown_ = Shown::fresh;
  if (reason != EEXIST || !replace) return reason;

  struct stat old {};
  if (::fstatat(folder, names_.leaf.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (!S_ISREG(old.st_mode)) return EEXIST;
  if (unnamed_ && !has_part_) {
    announce_part();
    reason = link_unnamed(folder, names_.part);
    if (reason == EEXIST) has_part_ = false;
    if (reason != 0) return reason;
  }
  return swap_part(folder);
}

int PendingFile::link_unnamed(int folder, const std::string& name) const noexcept {
  const std::string from = proc_name(file_.get());
  if (::linkat(AT_FDCWD, from.c_str(), folder, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return 0;
  return errno;
}

int PendingFile::rename_part(int folder) noexcept {
  int reason = rename_with(folder, names_.part, names_.leaf, RENAME_NOREPLACE);
  if (reason == 0) has_part_ = false;
  if (!is_unsupported(reason)) return reason;
  // The next best thing that does not overwrite: two names for a moment.
  if (::linkat(folder, names_.part.c_str(), folder, names_.leaf.c_str(), 0) == 0) return 0;
  reason = errno;
  if (!is_unsupported(reason)) return reason;
  // Neither (some FUSE file systems): a look, and a moment in which a stranger could create the
  // name.
  struct stat taken {};
  if (::fstatat(folder, names_.leaf.c_str(), &taken, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  reason = rename_with(folder, names_.part, names_.leaf, 0);
  if (reason == 0) has_part_ = false;
  return reason;
}

int PendingFile::swap_part(int folder) noexcept {
  int reason = rename_with(folder, names_.part, names_.leaf, RENAME_EXCHANGE);
  if (reason == 0) shown_ = Shown::swapped;
  if (!is_unsupported(reason)) return reason;
  reason = rename_with(folder, names_.part, names_.leaf, 0);
  if (reason == 0) shown_ = Shown::overwritten;
  return reason;
}

int PendingFile::take_back(int folder) noexcept {
  const Shown shown = std::exchange(shown_, Shown::no);
  if (shown == Shown::swapped) {
    return rename_with(folder, names_.part, names_.leaf, RENAME_EXCHANGE);
  }
  if (shown != Shown::fresh) return 0;
  return ::unlinkat(folder, names_.leaf.c_str(), 0) == 0 || errno == ENOENT ? 0 : errno;
}

int PendingFile::drop_part(int folder) {
  if (has_part_ && ::unlinkat(folder, names_.part.c_str(), 0) != 0 && errno != ENOENT) return errno;
  has_part_ = false;
  if (journalled_) names_.journal->end(*journalled_);
  journalled_.reset();
  return 0;
}

}  // namespace bp::stages
