#include "stages/filters/gpg_home.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

namespace bp::stages {

namespace {

constexpr std::string_view name_prefix = "backup-pipe-gpg-";
/// gpg-agent's socket lies in the home and its path has to fit into sockaddr_un.
constexpr std::size_t longest_path = 80;

std::vector<std::filesystem::path> places() {
  std::vector<std::filesystem::path> result;
  for (const char* variable : {"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"}) {
    // systemd may name several runtime directories, separated by colons; the first is as good as
    // any.
    if (const char* value = std::getenv(variable); value != nullptr && *value == '/') {
      const std::string_view first = value;
      result.emplace_back(first.substr(0, first.find(':')));
    }
  }
  result.emplace_back("/dev/shm");
  return result;
}

std::string random_name() {
  std::random_device entropy;
  return fmt::format("{}{:08x}{:08x}", name_prefix, entropy(), entropy());
}

bool is_our_folder(const std::filesystem::path& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
         facts.st_uid == ::geteuid() && path.filename().string().starts_with(name_prefix);
}

}  // namespace

GpgHome::GpgHome(Journal* journal, std::string owner) : journal_{journal} {
  std::string tried;
  const auto passed_over = [&tried](const std::filesystem::path& place, std::string_view why) {
    tried += fmt::format("{}{}: {}", tried.empty() ? "" : ", ", place.string(), why);
  };
  for (const std::filesystem::path& place : places()) {
    std::filesystem::path path = place / random_name();
    if (path.native().size() > longest_path) {
      passed_over(place, "its name is too long");
      continue;
    }
    if (journal_ != nullptr) {
      entry_ = journal_->begin(std::string{gpg_home_kind}, owner, path.string());
    }
    if (::mkdir(path.c_str(), 0700) == 0) {
      path_ = std::move(path);
      return;
    }
    passed_over(place, system_reason(errno));
    if (entry_) journal_->end(*std::exchange(entry_, std::nullopt));
  }
  throw Error{Errc::transform, fmt::format("no place for a private gpg folder ({})", tried),
              "Set RUNTIME_DIRECTORY to a folder on memory-backed storage that we may write to."};
}

GpgHome::~GpgHome() {
  std::error_code failure;
  std::filesystem::remove_all(path_, failure);
  // A folder that could not be removed stays in the journal, for the next run.
  if (failure || !entry_) return;
  try {
    journal_->end(*entry_);
  } catch (const Error&) {
    // The line stays open: the next sweep finds nothing there and closes it.
    return;
  }
}

void sweep_gpg_home(const JournalEntry& entry) {
  const std::filesystem::path path = entry.locator;
  if (!is_our_folder(path)) return;
  std::error_code failure;
  std::filesystem::remove_all(path, failure);
  if (failure) {
    throw Error{Errc::transform,
                fmt::format("unable to remove '{}': {}", path.string(), failure.message())};
  }
}

}  // namespace bp::stages
