#include "stages/store/state_directory.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

namespace bp::stages {

namespace {

namespace fs = std::filesystem;

std::string first_sha256_hex(std::string_view text, std::size_t digits) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw Error{Errc::internal, "unable to compute a SHA-256"};
  }
  std::string hex;
  for (std::size_t i = 0; i < digits / 2; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

/// What is wrong with an existing folder as a place for state, or nothing.
std::string objection_to(const fs::path& folder) {
  struct stat facts {};
  if (::lstat(folder.c_str(), &facts) != 0) return system_reason(errno);
  if (!S_ISDIR(facts.st_mode)) return "not a folder";
  if (facts.st_uid != ::geteuid()) return "belongs to another user";
  if ((facts.st_mode & 0022U) != 0) return "can be written to by others";
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return system_reason(errno);
  }
  return {};
}

/// Makes one folder, durably; one that exists already is fine. Returns what went wrong, or nothing.
std::string make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0) return errno == EEXIST ? "" : system_reason(errno);
  const int parent = ::open(folder.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0) return {};  // searchable and not readable: made, and less durable
  ::fsync(parent);
  ::close(parent);
  return {};
}

std::string make_folders(const fs::path& folder) {
  fs::path made;
  std::string reason;
  for (const fs::path& part : folder) {
    made /= part;
    // Above our own there are folders that cannot be made and need not be: only the last answer
    // counts.
    reason = make_folder(made);
  }
  return reason;
}

std::vector<fs::path> candidates(const Environment& environment, const fs::path& system_folder) {
  // systemd separates several state directories by colons; the first is the main one.
  if (const auto given = environment("STATE_DIRECTORY"); given && !given->empty()) {
    return {fs::path{given->substr(0, given->find(':'))}};
  }
  std::vector<fs::path> folders{system_folder};
  if (const auto state = environment("XDG_STATE_HOME"); state && state->starts_with('/')) {
    folders.push_back(fs::path{*state} / "backup-pipe");
  }
  if (const auto home = environment("HOME"); home && home->starts_with('/')) {
    folders.push_back(fs::path{*home} / ".local/state/backup-pipe");
  }
  return folders;
}

}  // namespace

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return std::string{value};
  };
}

std::string job_folder_name(std::string_view job, const std::filesystem::path& job_file) {
  constexpr std::size_t max_name = 100;
  std::string name{job.substr(0, max_name)};
  for (char& letter : name) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' ||
                       letter == '-';
    if (!plain) letter = '_';
  }
  if (name.starts_with('.')) name.front() = '_';
  return fmt::format("{}-{}", name, first_sha256_hex(job_file.native(), 8));
}

StateFolder job_state_folder(std::string_view job, const std::filesystem::path& job_file,
                             const Environment& environment,
                             const std::filesystem::path& system_folder) {
  StateFolder result;
  const std::string name = job_folder_name(job, job_file);
  for (const fs::path& base : candidates(environment, system_folder)) {
    const fs::path folder = base / name;
    std::string reason = make_folders(folder);
    if (reason.empty()) reason = objection_to(folder);
    if (reason.empty()) return {folder, {}};
    if (!result.reason.empty()) result.reason += "; ";
    result.reason += fmt::format("'{}': {}", folder.native(), reason);
  }
  if (result.reason.empty()) result.reason = "neither STATE_DIRECTORY nor HOME is set";
  return result;
}

}  // namespace bp::stages
