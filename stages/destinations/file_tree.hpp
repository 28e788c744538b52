// stages/destinations/file_tree.hpp — objects as files below one folder: names, folders, what is
// there.
//
// Everything below the store's folder is reached folder by folder, without following links: whoever
// may write there cannot lead a backup that runs as root somewhere else. The store's folder itself
// may be a link. Names ".NAME.RUN.part" are files under way; they are no objects.
#pragma once

#include "stages/store.hpp"
#include "stages/support/unique_fd.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

/// "web1/2026-11-23/etc.tar": folders web1 and 2026-11-23, leaf etc.tar.
struct ObjectPath {
  std::vector<std::string> folders;
  std::string leaf;
};

/// Splits an object's name. Throws Errc::destination for one that is absolute, leaves the store
/// ("..") or has empty or unprintable parts, and for one that would be taken for a file under way.
[[nodiscard]] ObjectPath split_object_name(std::string_view object);

/// ".etc.tar.RUN.part", the name of an object under way.
[[nodiscard]] std::string part_name(std::string_view leaf, std::string_view run_id);
[[nodiscard]] bool is_part_name(std::string_view leaf) noexcept;
/// … of this very run.
[[nodiscard]] bool is_part_name_of(std::string_view leaf, std::string_view run_id) noexcept;

/// The store's folder. Throws Errc::destination when it is missing: making it could fill the wrong
/// disk.
[[nodiscard]] UniqueFd open_root(const std::filesystem::path& root);

/// A folder below `root`. Empty: it does not exist. Throws Errc::destination.
[[nodiscard]] std::optional<UniqueFd> open_folder(const std::filesystem::path& root,
                                                  const std::vector<std::string>& folders);

/// The deepest folder on the way to `folders` that exists, at least the root. Throws
/// Errc::destination.
[[nodiscard]] UniqueFd open_nearest_folder(const std::filesystem::path& root,
                                           const std::vector<std::string>& folders);

/// The same folder, made where it is missing: mode 0700, durable if asked. `made` gets the depths
/// of those that were made here. Throws Errc::destination.
[[nodiscard]] UniqueFd make_folders(const std::filesystem::path& root,
                                    const std::vector<std::string>& folders, bool durable,
                                    std::vector<std::size_t>& made);

/// Removes the folders that make_folders() made, as far as they are empty; others stay.
void remove_made_folders(const std::filesystem::path& root, const std::vector<std::string>& folders,
                         std::vector<std::size_t>& made) noexcept;

/// Facts of one object; empty if there is no regular file of that name. Throws Errc::destination.
[[nodiscard]] std::optional<ObjectInfo> file_info(const std::filesystem::path& root,
                                                  const std::string& object);

/// All objects whose names begin with `prefix`, by name. Throws Errc::destination.
[[nodiscard]] std::vector<ObjectInfo> list_files(const std::filesystem::path& root,
                                                 std::string_view prefix);

}  // namespace bp::stages
