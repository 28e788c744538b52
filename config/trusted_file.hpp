// config/trusted_file.hpp — files whose content we obey: job files, includes, secrets.
//
// A command in a job file runs as us, so whoever can write the file is us. Ownership and mode are
// checked on the descriptor that is then read; the name may be a symbolic link, its target counts.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace bp::config {

struct TrustedFile {
  std::string text;
  std::filesystem::path real_path;
  /// Anybody beyond its owner, root and our own groups can read it: no place for a literal secret.
  bool readable_by_others = false;
};

/// Reads a regular file that belongs to root or to us, is writable by nobody else, and has at most
/// `max_bytes`. Throws Errc::config with what is wrong and the command that mends it.
[[nodiscard]] TrustedFile read_trusted_file(const std::filesystem::path& path,
                                            std::size_t max_bytes);

}  // namespace bp::config
