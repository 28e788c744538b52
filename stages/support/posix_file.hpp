// stages/support/posix_file.hpp — descriptors with an owner, and small files that survive a power
// cut.
#pragma once

#include "engine/error.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bp::stages {

/// "unable to <activity> '<path>': <reason>", with a hint for the reasons an administrator can
/// mend.
[[nodiscard]] Error file_error(Errc code, std::string_view activity,
                               const std::filesystem::path& path, int errno_value);

/// Writes all of `bytes`, in as many calls as it takes. Returns 0 or an errno value.
[[nodiscard]] int write_all(int fd, std::span<const std::byte> bytes) noexcept;

/// Makes the file durable, its data or also its metadata. Returns 0 or an errno value. A failure is
/// final: the kernel has dropped what it could not write, and a second fsync would not notice.
[[nodiscard]] int sync_file(int fd) noexcept;

/// Makes the names in a folder durable. Returns 0 or an errno value; a file system that cannot sync
/// folders (EINVAL) has nothing to say about it and counts as done.
[[nodiscard]] int sync_folder(int fd) noexcept;

/// A whole small file. Empty: there is none. Throws Errc::internal for any other reason not to read
/// it, and for one that is larger than `max_bytes`.
[[nodiscard]] std::optional<std::string> read_small_file(const std::filesystem::path& path,
                                                         std::size_t max_bytes);

/// Replaces a file, mode 0600, by a new one: after a crash there is the old text or the new one,
/// never a mixture. Waits for the disk; throws Errc::internal.
void replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace bp::stages
