#include "config/trusted_file.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace bp::config {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_{fd} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

Error refused(const std::filesystem::path& path, std::string_view what, std::string hint = {}) {
  return Error{Errc::config, fmt::format("{}: {}", path.string(), what), std::move(hint)};
}

/// A path as one word for the shell, so that a remedy can be pasted whatever the file is called.
std::string quoted(const std::filesystem::path& path) {
  std::string word = "'";
  for (const char c : path.native()) {
    if (c == '\'') {
      word += R"('\'')";
    } else {
      word += c;
    }
  }
  return word + "'";
}

bool is_our_group(gid_t group) {
  if (group == ::getegid()) return true;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(0, count)));
  return std::ranges::find(groups, group) != groups.end();
}

void check_trust(const std::filesystem::path& path, const struct stat& facts) {
  if (!S_ISREG(facts.st_mode)) throw refused(path, "not a regular file");
  if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) {
    throw refused(path,
                  fmt::format("belongs to user {}, who could make us run anything", facts.st_uid),
                  fmt::format("Run: chown {} {}", ::geteuid(), quoted(path)));
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw refused(path,
                  fmt::format("can be written by others (mode {:04o})", facts.st_mode & 07777U),
                  fmt::format("Run: chmod go-w {}", quoted(path)));
  }
}

std::string read_all(const std::filesystem::path& path, int fd, std::size_t max_bytes) {
  std::string text;
  // One byte more than allowed tells a file that grew after fstat().
  while (text.size() <= max_bytes) {
    const std::size_t had = text.size();
    text.resize(std::min(max_bytes + 1, had + 65'536));
    const ssize_t got = ::read(fd, text.data() + had, text.size() - had);
    if (got < 0 && errno == EINTR) {
      text.resize(had);
      continue;
    }
    if (got < 0) throw refused(path, fmt::format("unable to read: {}", system_reason(errno)));
    text.resize(had + static_cast<std::size_t>(got));
    if (got == 0) return text;
  }
  throw refused(path, fmt::format("larger than {} KiB", max_bytes >> 10));
}

}  // namespace

TrustedFile read_trusted_file(const std::filesystem::path& path, std::size_t max_bytes) {
  // O_NONBLOCK: a FIFO in the file's place must not hang us before fstat() can refuse it.
  const Descriptor fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  if (fd.get() < 0) throw refused(path, fmt::format("unable to open: {}", system_reason(errno)));
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) throw refused(path, system_reason(errno));
  check_trust(path, facts);
  if (static_cast<std::uint64_t>(facts.st_size) > max_bytes) {
    throw refused(path, fmt::format("larger than {} KiB", max_bytes >> 10));
  }

  TrustedFile file;
  file.text = read_all(path, fd.get(), max_bytes);
  std::error_code ignored;
  file.real_path = std::filesystem::canonical(path, ignored);
  if (file.real_path.empty()) file.real_path = std::filesystem::absolute(path);
  const bool group_may_read = (facts.st_mode & S_IRGRP) != 0;
  file.readable_by_others = (facts.st_mode & S_IROTH) != 0 ||
                            (group_may_read && facts.st_gid != 0 && !is_our_group(facts.st_gid));
  return file;
}

}  // namespace bp::config
