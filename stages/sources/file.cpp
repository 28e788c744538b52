// stages/sources/file.cpp — one regular file or block device, as it is.
#include "engine/blocking.hpp"
#include "stages/registry.hpp"
#include "stages/sources/extension.hpp"
#include "stages/support/unique_fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace bp::stages {

namespace {

Error unable_to_read(const std::string& path, std::string_view reason) {
  return {Errc::source, fmt::format("unable to read '{}': {}", path, reason)};
}

struct stat facts_of(const UniqueFd& file, const std::string& path) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw unable_to_read(path, system_reason(errno));
  return facts;
}

UniqueFd open_source(const std::string& path) {
  // Without O_NONBLOCK a FIFO would be waited for before we can see that it is one.
  UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file) throw unable_to_read(path, system_reason(errno));
  const struct stat facts = facts_of(file, path);
  if (!S_ISREG(facts.st_mode) && !S_ISBLK(facts.st_mode)) {
    throw unable_to_read(path, "neither a regular file nor a block device");
  }
  return file;
}

/// Reads until `buffer` is full; false at the end of the file.
bool fill(const UniqueFd& file, const std::string& path, Buffer& buffer) {
  while (!buffer.full()) {
    const auto space = buffer.free_space();
    const auto count = ::read(file.get(), space.data(), space.size());
    if (count == 0) return false;
    if (count > 0) {
      buffer.fill(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw unable_to_read(path, system_reason(errno));
    }
  }
  return true;
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

class FileSource final : public BlockingSource {
 public:
  explicit FileSource(std::string path) : path_{std::move(path)} {}

  asio::awaitable<void> preflight(StageContext&) override {
    std::function<void()> look = [this] { [[maybe_unused]] const auto file = open_source(path_); };
    co_await on_own_thread("preflight", std::move(look));
  }

 protected:
  void produce_blocking(BlockingOutlet& out, StageContext& ctx) override {
    const UniqueFd file = open_source(path_);
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    const struct stat before = facts_of(file, path_);
    std::uint64_t bytes = 0;
    for (bool more = true; more;) {
      if (ctx.stop().stop_requested()) throw Error{Errc::cancelled, "cancelled"};
      Buffer buffer = ctx.pool().acquire();
      more = fill(file, path_, buffer);
      bytes += buffer.size();
      if (!buffer.empty()) out.push(std::move(buffer).freeze());
    }
    if (S_ISREG(before.st_mode)) warn_if_changed(before, facts_of(file, path_), bytes, ctx);
  }

 private:
  void warn_if_changed(const struct stat& before, const struct stat& after, std::uint64_t bytes,
                       StageContext& ctx) const {
    const bool same = before.st_size == after.st_size && same_time(before.st_mtim, after.st_mtim) &&
                      bytes == static_cast<std::uint64_t>(before.st_size);
    if (same) return;
    ctx.warn(fmt::format("'{}' changed while it was read", path_),
             {fmt::format("{} bytes at the beginning, {} at the end, {} stored", before.st_size,
                          after.st_size, bytes)});
  }

  std::string path_;
};

}  // namespace

void register_source_file(Registry& registry) {
  registry.add_source("file", [](config::OptionReader& options) {
    return SourceType{.extension = read_extension(options),
                      .argv = {},
                      .sudo_argv = {},
                      .make = [path = options.path("path")](const BuildContext&) {
                        return std::make_unique<FileSource>(path);
                      }};
  });
}

}  // namespace bp::stages
