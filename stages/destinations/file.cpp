#include "stages/destinations/file.hpp"

#include "engine/blocking.hpp"
#include "stages/destinations/file_sink.hpp"
#include "stages/destinations/file_source.hpp"
#include "stages/destinations/file_tree.hpp"
#include "stages/store/journal.hpp"
#include "stages/support/posix_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <utility>

namespace bp::stages {

namespace {

namespace fs = std::filesystem;

void remove_file(const fs::path& root, const std::string& object) {
  const ObjectPath path = split_object_name(object);
  const std::optional<UniqueFd> folder = open_folder(root, path.folders);
  if (!folder || ::unlinkat(folder->get(), path.leaf.c_str(), 0) == 0 || errno == ENOENT) return;
  throw file_error(Errc::destination, "remove", root / object, errno);
}

[[noreturn]] void refuse_to_sweep(const JournalEntry& entry, std::string_view why) {
  throw Error{Errc::destination, fmt::format("unable to sweep '{}': {}", entry.locator, why),
              "Look at it, and remove it by hand."};
}

/// The journal is only a file: what it names is removed if it can be nothing but a file under way.
void sweep_part(const fs::path& root, const JournalEntry& entry) {
  if (entry.kind != "part-file")
    refuse_to_sweep(entry, "a destination of files does not make such");
  const std::string below = (root / "").native();
  if (!entry.locator.starts_with(below))
    refuse_to_sweep(entry, "not below this destination's path");
  const std::string relative = entry.locator.substr(below.size());
  const std::size_t slash = relative.rfind('/');
  const std::string leaf = slash == std::string::npos ? relative : relative.substr(slash + 1);
  if (!is_part_name_of(leaf, entry.run_id)) refuse_to_sweep(entry, "not a part file of that run");

  // The check for objects, with the name that the part was to get.
  const std::string folder_part = slash == std::string::npos ? "" : relative.substr(0, slash + 1);
  const ObjectPath path = split_object_name(folder_part + "part");
  const std::optional<UniqueFd> folder = open_folder(root, path.folders);
  if (!folder) return;
  struct stat facts {};
  if (::fstatat(folder->get(), leaf.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return;
    throw file_error(Errc::destination, "examine", entry.locator, errno);
  }
  if (!S_ISREG(facts.st_mode)) refuse_to_sweep(entry, "not a regular file");
  if (::unlinkat(folder->get(), leaf.c_str(), 0) != 0 && errno != ENOENT) {
    throw file_error(Errc::destination, "remove", entry.locator, errno);
  }
}

class FileStore final : public Store {
 public:
  FileStore(FileSettings settings, Temporary temporary)
      : settings_{std::move(settings)}, temporary_{temporary} {}

  // A mounted share is the business of whoever mounted it.
  [[nodiscard]] bool remote() const override { return false; }
  [[nodiscard]] std::string location(const std::string& object) const override {
    return (settings_.root / object).native();
  }
  [[nodiscard]] std::unique_ptr<Sink> sink(const BuildContext& context) override {
    return file_sink(settings_, temporary_, context);
  }
  [[nodiscard]] std::unique_ptr<Source> open(std::string object, Range range) override {
    return file_source(settings_.root, std::move(object), range);
  }

  [[nodiscard]] asio::awaitable<std::vector<ObjectInfo>> list(std::string prefix) override {
    std::vector<ObjectInfo> found;
    std::function<void()> work = [&] { found = list_files(settings_.root, prefix); };
    co_await off_the_io_thread(std::move(work));
    co_return found;
  }
  [[nodiscard]] asio::awaitable<std::optional<ObjectInfo>> head(std::string object) override {
    std::optional<ObjectInfo> info;
    std::function<void()> work = [&] { info = file_info(settings_.root, object); };
    co_await off_the_io_thread(std::move(work));
    co_return info;
  }
  [[nodiscard]] asio::awaitable<void> remove(std::string object) override {
    std::function<void()> work = [&] { remove_file(settings_.root, object); };
    co_await off_the_io_thread(std::move(work));
  }
  [[nodiscard]] asio::awaitable<void> sweep(const JournalEntry& entry) override {
    std::function<void()> work = [&] { sweep_part(settings_.root, entry); };
    co_await off_the_io_thread(std::move(work));
  }

 private:
  asio::awaitable<void> off_the_io_thread(std::function<void()> work) const {
    [[maybe_unused]] const auto cpu = co_await on_own_thread(settings_.name, std::move(work));
  }

  const FileSettings settings_;
  const Temporary temporary_;
};

/// Without '.', '..' and a '/' at its end, so that paths below it can be told by their beginning.
fs::path plain(const fs::path& root) {
  if (root.empty()) return root;  // of options with an error, to be thrown away
  const fs::path normal = fs::absolute(root).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

}  // namespace

std::unique_ptr<Store> file_store(FileSettings settings, Temporary temporary) {
  settings.root = plain(settings.root);
  return std::make_unique<FileStore>(std::move(settings), temporary);
}

void register_destination_file(Registry& registry) {
  registry.add_store("file", [](config::OptionReader& options) {
    FileSettings settings;
    settings.name = options.title().substr(options.title().find('.') + 1);
    settings.root = options.path("path");
    settings.fsync = options.flag("fsync", true);
    return file_store(std::move(settings));
  });
}

}  // namespace bp::stages
