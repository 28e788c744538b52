#include "stages/destinations/file_sink.hpp"

#include "engine/blocking.hpp"
#include "stages/destinations/file_tree.hpp"
#include "stages/destinations/paced_writer.hpp"
#include "stages/destinations/pending_file.hpp"
#include "stages/support/posix_file.hpp"

#include <climits>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace bp::stages {

namespace {

namespace fs = std::filesystem;

/// Another run that failed may remove the folder that we made use of, while it still looks empty.
constexpr int max_attempts = 8;

class FileSink final : public BlockingSink {
 public:
  FileSink(const FileSettings& settings, Temporary temporary, const BuildContext& context)
      : settings_{settings},
        temporary_{temporary},
        replace_{context.replace_existing},
        object_{split_object_name(context.object_name)},
        path_{settings.root / context.object_name},
        pending_{names_of(settings, context, object_, path_)} {}

  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return {.min_chunks = 1, .wanted_chunks = 1};
  }

  asio::awaitable<void> preflight(StageContext& ctx) override {
    std::function<void()> work = [this, &ctx] { check(ctx); };
    [[maybe_unused]] const auto cpu =
        co_await on_own_thread(std::string{ctx.name()}, std::move(work));
  }

 protected:
  void prepare_blocking(BlockingInlet& in, StageContext& ctx) override;
  Receipt commit_blocking(StageContext& ctx) override;
  void abort_blocking(StageContext& ctx) override;

 private:
  static PendingFile::Names names_of(const FileSettings& settings, const BuildContext& context,
                                     const ObjectPath& object, const fs::path& path) {
    PendingFile::Names names;
    names.leaf = object.leaf;
    names.part = part_name(object.leaf, context.run_id);
    if (names.part.size() > NAME_MAX) {
      throw file_error(Errc::destination, "use", path, ENAMETOOLONG);
    }
    names.journal = context.journal;
    names.owner = settings.name;
    names.locator = (path.parent_path() / names.part).native();
    return names;
  }

  void check(StageContext& ctx) const;
  void check_name(int folder) const;
  void check_writable(int folder) const;
  void open_file();
  void make_durable();
  void publish();
  void verify() const;
  [[nodiscard]] std::optional<Error> clean_up();
  [[nodiscard]] Error unable_to(std::string_view activity, int reason) const {
    return file_error(Errc::destination, activity, path_, reason);
  }
  [[nodiscard]] Error already_exists() const {
    return Error{
        Errc::destination, fmt::format("'{}' exists already", path_.native()),
        "Set on_exists = \"suffix\" or \"replace\", or use {time} in the object template."};
  }

  const FileSettings settings_;
  const Temporary temporary_;
  const bool replace_;
  const ObjectPath object_;
  const fs::path path_;
  PendingFile pending_;

  UniqueFd folder_;
  std::vector<std::size_t> made_folders_;
  std::uint64_t bytes_ = 0;
  ino_t inode_ = 0;
};

void FileSink::check(StageContext& ctx) const {
  const UniqueFd nearest = open_nearest_folder(settings_.root, object_.folders);
  check_writable(nearest.get());
  if (const auto folder = open_folder(settings_.root, object_.folders)) check_name(folder->get());

  struct statvfs space {};
  if (::fstatvfs(nearest.get(), &space) != 0) throw unable_to("examine the disk of", errno);
  if (space.f_blocks == 0) return;  // this file system does not say
  const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  if (free_bytes == 0) throw unable_to("write", ENOSPC);
  ctx.note("free_bytes", std::to_string(free_bytes));
}

void FileSink::check_name(int folder) const {
  struct stat existing {};
  if (::fstatat(folder, object_.leaf.c_str(), &existing, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) throw unable_to("use", errno);
    return;
  }
  if (!S_ISREG(existing.st_mode) || !replace_) throw already_exists();
}

void FileSink::check_writable(int folder) const {
  if (temporary_ == Temporary::unnamed_if_possible) {
    const UniqueFd proof{::openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)};
    if (proof) return;
  }
  // Without unnamed files a look at the modes has to do: preflight leaves nothing behind, not even
  // if it is killed.
  if (::faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) != 0) throw unable_to("write", errno);
}

void FileSink::open_file() {
  for (int attempt = 1;; ++attempt) {
    folder_ = make_folders(settings_.root, object_.folders, settings_.fsync, made_folders_);
    const int reason = pending_.open(folder_.get(), temporary_);
    if (reason == 0) return;
    if (reason != ENOENT || attempt == max_attempts) throw unable_to("create", reason);
  }
}

void FileSink::prepare_blocking(BlockingInlet& in, StageContext&) {
  open_file();
  PacedWriter writer{pending_.fd(), settings_.fsync};
  while (const std::optional<Chunk> chunk = in.pop()) {
    if (const int reason = writer.write(chunk->bytes())) throw unable_to("write", reason);
  }
  bytes_ = writer.bytes();
  make_durable();
}

void FileSink::make_durable() {
  if (const int reason = settings_.fsync ? sync_file(pending_.fd()) : 0) {
    throw unable_to("sync", reason);
  }
  struct stat facts {};
  if (::fstat(pending_.fd(), &facts) != 0) throw unable_to("examine", errno);
  if (static_cast<std::uint64_t>(facts.st_size) != bytes_) {
    throw Error{Errc::destination, fmt::format("'{}' has {} bytes after {} were written",
                                               path_.native(), facts.st_size, bytes_)};
  }
  inode_ = facts.st_ino;
  if (pending_.is_unnamed()) return;  // it would be gone
  // NFS tells late errors only here.
  if (const int reason = pending_.finish()) throw unable_to("close", reason);
}

Receipt FileSink::commit_blocking(StageContext& ctx) {
  try {
    publish();
    verify();
  } catch (const Error& error) {
    // The runner does not abort after a failed commit.
    if (const int reason = pending_.take_back(folder_.get())) {
      // The hidden name may now be the old object's: removing it is not for us to decide.
      throw error.within(unable_to("take back", reason).what());
    }
    if (const std::optional<Error> left = clean_up()) throw error.within(left->what());
    throw;
  }
  // From here on it is stored; what it replaced may lie about under its hidden name until the next
  // sweep.
  if (const std::optional<Error> left = clean_up()) ctx.warn(left->what());
  return Receipt{.location = path_.native(), .bytes = bytes_, .etag = {}};
}

void FileSink::publish() {
  for (int attempt = 1;; ++attempt) {
    const int reason = pending_.publish(folder_.get(), replace_);
    if (reason == 0) break;
    if (reason == EEXIST) throw already_exists();
    if (reason != ENOENT || attempt == max_attempts) throw unable_to("name", reason);
    folder_ = make_folders(settings_.root, object_.folders, settings_.fsync, made_folders_);
  }
  if (const int reason = settings_.fsync ? sync_folder(folder_.get()) : 0) {
    throw unable_to("sync the folder of", reason);
  }
}

/// What has the name now is what was written. Numbers of inodes are no proof where there are none
/// (FAT, some FUSE file systems), which have no unnamed files either.
void FileSink::verify() const {
  struct stat facts {};
  if (::fstatat(folder_.get(), object_.leaf.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    throw unable_to("find", errno);
  }
  const bool same_file = !pending_.is_unnamed() || facts.st_ino == inode_;
  if (same_file && static_cast<std::uint64_t>(facts.st_size) == bytes_) return;
  throw Error{Errc::destination,
              fmt::format("'{}' is not the file that was written", path_.native()),
              "Something else writes to this folder."};
}

void FileSink::abort_blocking(StageContext&) {
  if (const std::optional<Error> left = clean_up()) throw Error{*left};
}

/// Removes what is not the object: the hidden name, folders that are empty. Returns what went
/// wrong, because that must not hide why it was called, nor make a stored object a failure.
std::optional<Error> FileSink::clean_up() {
  std::optional<Error> left;
  try {
    const int reason = folder_ ? pending_.drop_part(folder_.get()) : 0;
    if (reason != 0) left = unable_to("remove the part file of", reason);
  } catch (const Error& error) {
    left = error;  // of the journal
  }
  [[maybe_unused]] const int closed = pending_.finish();  // synced before, or not wanted
  remove_made_folders(settings_.root, object_.folders, made_folders_);
  return left;
}

}  // namespace

std::unique_ptr<Sink> file_sink(const FileSettings& settings, Temporary temporary,
                                const BuildContext& context) {
  return std::make_unique<FileSink>(settings, temporary, context);
}

}  // namespace bp::stages
