// stages/sources/tar.hpp — GNU tar as a source: its command line, its exit statuses, its messages.
#pragma once

#include "stages/sources/process.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace bp::stages {

/// What goes into an archive.
struct TarContent {
  std::vector<std::string> paths;    ///< absolute, from clean_path()
  std::vector<std::string> exclude;  ///< tar's patterns: "logs" is every member of that name
  bool one_file_system = false;
  bool xattrs = true;  ///< extended attributes and access control lists
  bool sparse = false;
};

/// Without trailing or doubled slashes and '.'; empty for a path that is not absolute or holds
/// '..', whose meaning would depend on symbolic links.
[[nodiscard]] std::optional<std::string> clean_path(const std::string& path);

/// The command line. Members are named relative to the folder that holds them all, as `cd /srv; tar
/// data` does; no name can be taken for an option. `tar` is the program's name or path.
[[nodiscard]] std::vector<std::string> tar_argv(const TarContent& content, const std::string& tar);

/// The first pattern of `exclude` that would leave out one of `paths` itself: tar then stores
/// nothing of it and calls that success.
[[nodiscard]] std::optional<std::string> self_excluding_pattern(const TarContent& content);

class TarSource final : public ProcessSource {
 public:
  TarSource(TarContent content, ProcessOptions options);
  [[nodiscard]] asio::awaitable<void> preflight(StageContext& ctx) override;

 private:
  void saw(std::span<const std::byte> bytes) override;
  void check_end(StageContext& ctx) const override;
  [[nodiscard]] std::vector<std::string> messages(std::string_view stderr_tail) const override;
  [[nodiscard]] asio::awaitable<void> check_sudo(StageContext& ctx);

  TarContent content_;
  std::array<std::byte, 1024> end_{};  ///< the last bytes of the archive so far
  std::size_t end_size_ = 0;
};

}  // namespace bp::stages
