#include "stages/destinations/file_source.hpp"

#include "engine/blocking.hpp"
#include "stages/destinations/file_tree.hpp"
#include "stages/support/posix_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace bp::stages {

namespace {

class FileSource final : public BlockingSource {
 public:
  FileSource(std::filesystem::path root, std::string object, Range range)
      : root_{std::move(root)},
        path_{root_ / object},
        object_{split_object_name(object)},
        range_{range} {}

  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return {.min_chunks = 1, .wanted_chunks = 1};
  }

 protected:
  void produce_blocking(BlockingOutlet& out, StageContext& ctx) override;

 private:
  [[nodiscard]] UniqueFd open_object() const;
  [[nodiscard]] std::uint64_t length_of_range(int fd) const;
  [[nodiscard]] Error too_short(std::uint64_t has, std::uint64_t wanted) const {
    return Error{Errc::source,
                 fmt::format("'{}' has {} bytes, {} are wanted", path_.native(), has, wanted)};
  }

  std::filesystem::path root_, path_;
  ObjectPath object_;
  Range range_;
};

UniqueFd FileSource::open_object() const {
  const std::optional<UniqueFd> folder = open_folder(root_, object_.folders);
  if (!folder) throw file_error(Errc::source, "open", path_, ENOENT);
  // Opening a pipe that somebody left there would wait for its writer.
  UniqueFd file{::openat(folder->get(), object_.leaf.c_str(),
                         O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file) throw file_error(Errc::source, "open", path_, errno);
  return file;
}

std::uint64_t FileSource::length_of_range(int fd) const {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) throw file_error(Errc::source, "examine", path_, errno);
  if (!S_ISREG(facts.st_mode)) {
    throw Error{Errc::source, fmt::format("'{}' is not a regular file", path_.native())};
  }
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (range_.offset > size) throw too_short(size, range_.offset);
  const std::uint64_t rest = size - range_.offset;
  const std::uint64_t length = range_.length.value_or(rest);
  if (length > rest) throw too_short(rest, length);
  return length;
}

void FileSource::produce_blocking(BlockingOutlet& out, StageContext& ctx) {
  const UniqueFd file = open_object();
  const std::uint64_t length = length_of_range(file.get());
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);

  for (std::uint64_t done = 0; done < length;) {
    Buffer buffer = ctx.pool().acquire();
    while (!buffer.full() && done < length) {
      const std::span<std::byte> room = buffer.free_space();
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), length - done));
      const ssize_t got =
          ::pread(file.get(), room.data(), wanted, static_cast<off_t>(range_.offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw file_error(Errc::source, "read", path_, errno);
      if (got == 0) throw too_short(done, length);  // cut while we read it
      buffer.fill(static_cast<std::size_t>(got));
      done += static_cast<std::uint64_t>(got);
    }
    out.push(std::move(buffer).freeze());
  }
}

}  // namespace

std::unique_ptr<Source> file_source(std::filesystem::path root, std::string object, Range range) {
  return std::make_unique<FileSource>(std::move(root), std::move(object), range);
}

}  // namespace bp::stages
