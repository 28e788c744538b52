#include "stages/destinations/file_tree.hpp"

#include "stages/support/posix_file.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace bp::stages {

namespace {

namespace fs = std::filesystem;

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr std::string_view part_ending = ".part";
/// Another run may remove an empty folder that we are about to use; it will not do so for ever.
constexpr int max_attempts = 8;

[[noreturn]] void refuse_name(std::string_view object, std::string_view why) {
  throw Error{Errc::destination,
              fmt::format("unable to use '{}' as an object's name: {}", object, why),
              "Change the job's object template."};
}

bool has_control_characters(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char letter) {
    const auto code = static_cast<unsigned char>(letter);
    return code < 0x20 || code == 0x7F;
  });
}

fs::path path_of(const fs::path& root, const std::vector<std::string>& folders, std::size_t count) {
  fs::path path = root;
  for (std::size_t i = 0; i < count; ++i) path /= folders[i];
  return path;
}

Error unable_to_enter(const fs::path& folder, int reason) {
  if (reason != ELOOP && reason != ENOTDIR)
    return file_error(Errc::destination, "open", folder, reason);
  return Error{
      Errc::destination, fmt::format("unable to open '{}': not a folder", folder.native()),
      "Below a destination's path links are not followed; let the path itself lead there."};
}

/// One step down. Empty: there is nothing of that name.
std::optional<UniqueFd> step_into(int parent, const std::string& name, const fs::path& full) {
  UniqueFd next{::openat(parent, name.c_str(), folder_flags | O_NOFOLLOW)};
  if (next) return next;
  if (errno == ENOENT) return std::nullopt;
  throw unable_to_enter(full, errno);
}

/// Empty: a folder that we stood in was removed meanwhile.
std::optional<UniqueFd> try_make_folders(const fs::path& root,
                                         const std::vector<std::string>& folders, bool durable,
                                         std::vector<std::size_t>& made) {
  UniqueFd current = open_root(root);
  for (std::size_t depth = 0; depth < folders.size(); ++depth) {
    const fs::path full = path_of(root, folders, depth + 1);
    std::optional<UniqueFd> next = step_into(current.get(), folders[depth], full);
    if (!next) {
      if (::mkdirat(current.get(), folders[depth].c_str(), 0700) == 0) {
        made.push_back(depth);
      } else if (errno == ENOENT) {
        return std::nullopt;
      } else if (errno != EEXIST) {
        throw file_error(Errc::destination, "create", full, errno);
      }
      if (const int reason = durable ? sync_folder(current.get()) : 0) {
        throw file_error(Errc::destination, "sync", full.parent_path(), reason);
      }
      next = step_into(current.get(), folders[depth], full);
      if (!next) return std::nullopt;
    }
    current = std::move(*next);
  }
  return current;
}

ObjectInfo info_of(std::string name, const struct stat& facts) {
  const auto modified =
      std::chrono::seconds{facts.st_mtim.tv_sec} + std::chrono::nanoseconds{facts.st_mtim.tv_nsec};
  ObjectInfo info;
  info.name = std::move(name);
  info.bytes = static_cast<std::uint64_t>(facts.st_size);
  info.modified = std::chrono::system_clock::time_point{
      std::chrono::duration_cast<std::chrono::system_clock::duration>(modified)};
  return info;
}

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

/// `path` is the folder's name with a '/' at its end, or empty for the root.
void list_folder(const fs::path& root, UniqueFd folder, const std::string& path,
                 std::string_view prefix, std::vector<ObjectInfo>& found) {
  const std::unique_ptr<DIR, CloseFolder> stream{::fdopendir(folder.get())};
  if (!stream) throw file_error(Errc::destination, "read", root / path, errno);
  const int fd = folder.release();  // the stream's from here on
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0)
      throw file_error(Errc::destination, "read", root / path, errno);
    if (entry == nullptr) return;
    const std::string leaf{static_cast<const char*>(entry->d_name)};
    if (leaf == "." || leaf == "..") continue;

    struct stat facts {};
    if (::fstatat(fd, leaf.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // removed since readdir saw it
      throw file_error(Errc::destination, "examine", root / path / leaf, errno);
    }
    std::string name = path + leaf;
    if (S_ISDIR(facts.st_mode)) {
      name += '/';
      const bool leads_there = name.starts_with(prefix) || prefix.starts_with(name);
      if (!leads_there) continue;
      std::optional<UniqueFd> next = step_into(fd, leaf, root / path / leaf);
      if (next) list_folder(root, std::move(*next), name, prefix, found);
    } else if (S_ISREG(facts.st_mode) && !is_part_name(leaf) && name.starts_with(prefix)) {
      found.push_back(info_of(std::move(name), facts));
    }
  }
}

}  // namespace

ObjectPath split_object_name(std::string_view object) {
  if (object.empty()) refuse_name(object, "it is empty");
  if (has_control_characters(object)) refuse_name("…", "it has control characters");
  ObjectPath path;
  for (std::string_view rest = object;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) refuse_name(object, "a part between '/' is empty");
    if (part == "." || part == "..") refuse_name(object, "it has a '.' or '..' part");
    if (slash == std::string_view::npos) {
      path.leaf = part;
      break;
    }
    path.folders.emplace_back(part);
    rest.remove_prefix(slash + 1);
  }
  if (is_part_name(path.leaf)) refuse_name(object, "it looks like a file under way");
  return path;
}

std::string part_name(std::string_view leaf, std::string_view run_id) {
  return fmt::format(".{}.{}{}", leaf, run_id, part_ending);
}

bool is_part_name(std::string_view leaf) noexcept {
  return leaf.starts_with('.') && leaf.ends_with(part_ending) &&
         leaf.size() > part_ending.size() + 1;
}

bool is_part_name_of(std::string_view leaf, std::string_view run_id) noexcept {
  if (run_id.empty() || !is_part_name(leaf)) return false;
  leaf.remove_suffix(part_ending.size());
  return leaf.ends_with(run_id) && leaf.size() > run_id.size() + 2 &&
         leaf[leaf.size() - run_id.size() - 1] == '.';
}

UniqueFd open_root(const fs::path& root) {
  UniqueFd folder{::open(root.c_str(), folder_flags)};
  if (folder) return folder;
  if (errno != ENOENT) throw file_error(Errc::destination, "open", root, errno);
  throw Error{Errc::destination, fmt::format("unable to open '{}': no such folder", root.native()),
              "Create it, or mount it: a missing folder may be a disk that is not mounted."};
}

std::optional<UniqueFd> open_folder(const fs::path& root, const std::vector<std::string>& folders) {
  std::optional<UniqueFd> current = open_root(root);
  for (std::size_t depth = 0; current && depth < folders.size(); ++depth) {
    current = step_into(current->get(), folders[depth], path_of(root, folders, depth + 1));
  }
  return current;
}

UniqueFd open_nearest_folder(const fs::path& root, const std::vector<std::string>& folders) {
  UniqueFd current = open_root(root);
  for (std::size_t depth = 0; depth < folders.size(); ++depth) {
    std::optional<UniqueFd> next =
        step_into(current.get(), folders[depth], path_of(root, folders, depth + 1));
    if (!next) break;
    current = std::move(*next);
  }
  return current;
}

UniqueFd make_folders(const fs::path& root, const std::vector<std::string>& folders, bool durable,
                      std::vector<std::size_t>& made) {
  for (int attempt = 1; attempt <= max_attempts; ++attempt) {
    if (std::optional<UniqueFd> folder = try_make_folders(root, folders, durable, made)) {
      return std::move(*folder);
    }
  }
  throw file_error(Errc::destination, "create", path_of(root, folders, folders.size()), ENOENT);
}

void remove_made_folders(const fs::path& root, const std::vector<std::string>& folders,
                         std::vector<std::size_t>& made) noexcept {
  std::ranges::sort(made, std::greater{});
  for (const std::size_t depth : made) {
    UniqueFd parent{::open(root.c_str(), folder_flags)};
    for (std::size_t i = 0; parent && i < depth; ++i) {
      parent = UniqueFd{::openat(parent.get(), folders[i].c_str(), folder_flags | O_NOFOLLOW)};
    }
    // Not empty, or gone: then it has become somebody else's. An empty folder is no harm either
    // way.
    if (parent) ::unlinkat(parent.get(), folders[depth].c_str(), AT_REMOVEDIR);
  }
  made.clear();
}

std::optional<ObjectInfo> file_info(const fs::path& root, const std::string& object) {
  const ObjectPath path = split_object_name(object);
  const std::optional<UniqueFd> folder = open_folder(root, path.folders);
  if (!folder) return std::nullopt;
  struct stat facts {};
  if (::fstatat(folder->get(), path.leaf.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw file_error(Errc::destination, "examine", root / object, errno);
  }
  if (!S_ISREG(facts.st_mode)) return std::nullopt;
  return info_of(object, facts);
}

std::vector<ObjectInfo> list_files(const fs::path& root, std::string_view prefix) {
  std::vector<ObjectInfo> found;
  list_folder(root, open_root(root), "", prefix, found);
  std::ranges::sort(found, {}, &ObjectInfo::name);
  return found;
}

}  // namespace bp::stages
