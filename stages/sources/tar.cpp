#include "stages/sources/tar.hpp"

#include "engine/blocking.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <utility>

namespace bp::stages {

namespace {

namespace fs = std::filesystem;

/// Where tar is started and what it stores, named from there.
struct Root {
  fs::path folder;
  std::vector<std::string> members;
};

fs::path common_folder(const std::vector<std::string>& paths) {
  fs::path common = fs::path{paths.front()}.parent_path();
  for (const std::string& path : paths) {
    const fs::path folder = fs::path{path}.parent_path();
    const auto parted = std::ranges::mismatch(common, folder).in1;
    fs::path shared;
    for (auto part = common.begin(); part != parted; ++part) shared /= *part;
    common = shared;
  }
  return common;
}

Root root_of(const std::vector<std::string>& paths) {
  Root root{.folder = common_folder(paths), .members = {}};
  for (const std::string& path : paths) {
    root.members.push_back(fs::path{path}.lexically_relative(root.folder).string());
  }
  return root;
}

/// As tar does without --anchored: a pattern may match from any component on, and what is below a
/// match goes with it.
bool excludes(const std::string& pattern, const std::string& member) {
  for (std::size_t from = 0; from != std::string::npos;) {
    if (::fnmatch(pattern.c_str(), member.c_str() + from, FNM_LEADING_DIR) == 0) return true;
    from = member.find('/', from);
    if (from != std::string::npos) ++from;
  }
  return false;
}

void check_path(const std::string& path, bool will_be_root) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) {
    if (errno == EACCES && will_be_root) return;
    throw Error{Errc::source, fmt::format("unable to read '{}': {}", path, system_reason(errno)),
                errno == EACCES ? "Set sudo = true if root has to read it." : ""};
  }
  if (S_ISLNK(facts.st_mode)) {
    throw Error{Errc::source, fmt::format("'{}' is a symbolic link", path),
                "The archive would hold the link alone. Name the folder that it points to."};
  }
  if (!will_be_root && ::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) {
    throw Error{Errc::source, fmt::format("unable to read '{}': {}", path, system_reason(errno)),
                "Set sudo = true if root has to read it."};
  }
}

/// Without the program's name in front: "tar: x: file changed" or "/usr/bin/tar: x: file changed".
std::string without_program(const std::string& line) {
  constexpr std::string_view mark = "tar: ";
  const std::size_t found = line.find(mark);
  if (found == std::string::npos) return line;
  const bool is_name = found == 0 || (line[0] == '/' && line[found - 1] == '/' &&
                                      line.find(' ') == found + mark.size() - 1);
  return is_name ? line.substr(found + mark.size()) : line;
}

bool is_closing_remark(const std::string& line) {
  return line.starts_with("Exiting with failure status") || line.starts_with("Error exit delayed");
}

}  // namespace

std::optional<std::string> clean_path(const std::string& path) {
  const fs::path given{path};
  if (!given.is_absolute() || std::ranges::find(given, fs::path{".."}) != given.end()) {
    return std::nullopt;
  }
  std::string clean = given.lexically_normal().string();
  if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  return clean;
}

std::vector<std::string> tar_argv(const TarContent& content, const std::string& tar) {
  // A name is a name: by default tar turns the two characters "\n" in it into a line break.
  std::vector<std::string> argv{tar, "--create", "--file=-", "--no-unquote"};
  if (content.one_file_system) argv.emplace_back("--one-file-system");
  if (content.xattrs) argv.insert(argv.end(), {"--xattrs", "--acls"});
  if (content.sparse) argv.emplace_back("--sparse");
  // Before the names: after them, tar says that an exclude has no effect, and means it.
  for (const std::string& pattern : content.exclude) argv.push_back("--exclude=" + pattern);
  const Root root = root_of(content.paths);
  argv.push_back("--directory=" + root.folder.string());
  argv.emplace_back("--");
  argv.insert(argv.end(), root.members.begin(), root.members.end());
  return argv;
}

std::optional<std::string> self_excluding_pattern(const TarContent& content) {
  const Root root = root_of(content.paths);
  for (const std::string& pattern : content.exclude) {
    const auto hit = [&pattern](const auto& member) { return excludes(pattern, member); };
    if (std::ranges::any_of(root.members, hit)) return pattern;
  }
  return std::nullopt;
}

TarSource::TarSource(TarContent content, ProcessOptions options)
    : ProcessSource{std::move(options)}, content_{std::move(content)} {}

asio::awaitable<void> TarSource::preflight(StageContext& ctx) {
  co_await ProcessSource::preflight(ctx);
  const bool sudo = options().child.sudo;
  // A path on a server that is gone makes lstat() wait: not on the I/O thread.
  std::function<void()> look = [this, sudo] {
    for (const std::string& path : content_.paths) check_path(path, sudo);
  };
  co_await on_own_thread("preflight", std::move(look));
  if (sudo) co_await check_sudo(ctx);
}

asio::awaitable<void> TarSource::check_sudo(StageContext& ctx) {
  const std::vector<std::string>& argv = options().child.argv;
  ChildOptions question{.argv = {"sudo", "-n", "-l"}, .environment = options().child.environment};
  question.argv.insert(question.argv.end(), std::ranges::find(argv, "--"), argv.end());
  const CommandResult answer =
      co_await run_command(ctx, std::move(question), std::chrono::seconds{20}, 65536);
  if (answer.status.success()) co_return;
  throw Error{Errc::source,
              fmt::format("sudo does not let us run tar: {}",
                          fmt::join(ProcessSource::messages(answer.errors), "; ")),
              "`backup-pipe plan --sudoers` prints the line that /etc/sudoers.d needs."};
}

void TarSource::saw(std::span<const std::byte> bytes) {
  if (bytes.size() >= end_.size()) {
    std::ranges::copy(bytes.last(end_.size()), end_.begin());
    end_size_ = end_.size();
    return;
  }
  const std::size_t kept = std::min(end_size_, end_.size() - bytes.size());
  std::memmove(end_.data(), end_.data() + end_size_ - kept, kept);
  std::memcpy(end_.data() + kept, bytes.data(), bytes.size());
  end_size_ = kept + bytes.size();
}

void TarSource::check_end(StageContext&) const {
  const bool two_zero_blocks = end_size_ == end_.size() && std::ranges::all_of(end_, [](auto byte) {
                                 return byte == std::byte{0};
                               });
  if (two_zero_blocks) return;
  throw Error{Errc::source, "tar ended well, but its archive has no end mark",
              "Is 'tar' GNU tar, or something in front of it?"};
}

std::vector<std::string> TarSource::messages(std::string_view stderr_tail) const {
  std::vector<std::string> lines = ProcessSource::messages(stderr_tail);
  for (std::string& line : lines) line = without_program(line);
  std::erase_if(lines, is_closing_remark);
  // What could not be read is the reason of a failure; keep it last, where one-line messages look.
  std::ranges::stable_partition(
      lines, [](const auto& line) { return line.find(": Cannot ") == std::string::npos; });
  return lines;
}

}  // namespace bp::stages
