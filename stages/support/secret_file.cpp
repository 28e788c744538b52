#include "stages/support/secret_file.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>

namespace bp::stages {

namespace {

[[noreturn]] void give_up() {
  throw Error{Errc::internal,
              fmt::format("unable to keep a secret in memory: {}", system_reason(errno))};
}

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) give_up();
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

SecretFile::SecretFile(const config::Secret& text)
    : file_{::memfd_create("backup-pipe", MFD_CLOEXEC | MFD_ALLOW_SEALING)} {
  if (!file_) give_up();
  // Before the secret is in it. PostgreSQL ignores a password file that others could read.
  if (::fchmod(file_.get(), S_IRUSR | S_IWUSR) != 0) give_up();
  write_all(file_.get(), text.reveal());
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(file_.get(), F_ADD_SEALS, seals) != 0) give_up();
}

std::string SecretFile::path(int number) {
  return fmt::format("/proc/self/fd/{}", number);
}

}  // namespace bp::stages
