#include "stages/filters/gpg_child.hpp"

#include "stages/support/tail_buffer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <string_view>
#include <utility>

namespace bp::stages {

namespace {

Error unable_to(std::string_view what) {
  return {Errc::transform, fmt::format("unable to {}: {}", what, system_reason(errno))};
}

/// In anonymous memory: nothing of it can stay behind in a pipe that nobody reads.
UniqueFd passphrase_file(const config::Secret& passphrase) {
  UniqueFd file{::memfd_create("passphrase", MFD_CLOEXEC)};
  const std::string& text = passphrase.reveal();
  if (!file || ::write(file.get(), text.data(), text.size()) != std::ssize(text) ||
      ::write(file.get(), "\n", 1) != 1 || ::lseek(file.get(), 0, SEEK_SET) != 0) {
    throw unable_to("hand over the passphrase");
  }
  return file;
}

}  // namespace

// clang-format off
std::vector<std::string> quiet_gpg(const std::string& binary, const std::string& home) {
  return {binary,
          "--no-options", "--homedir", home,
          "--batch", "--no-tty", "--quiet", "--no-autostart",
          "--no-random-seed-file", "--no-auto-check-trustdb"};
}

std::vector<std::string> gpg_argv(const std::string& binary, const std::string& home) {
  std::vector<std::string> argv = quiet_gpg(binary, home);
  argv.insert(argv.end(), {
          "--no-keyring",
          "--status-fd", std::to_string(gpg_status_fd),
          "--passphrase-fd", std::to_string(gpg_passphrase_fd), "--pinentry-mode", "loopback",
          "--symmetric",
          "--cipher-algo", "AES256",
          "--s2k-mode", "3", "--s2k-digest-algo", "SHA512", "--s2k-count", "65011712",
          "--compress-algo", "none",
          "--output", "-"});
  return argv;
}
// clang-format on

GpgSideChannels::GpgSideChannels() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw unable_to("make a pipe");
  status_ours_ = UniqueFd{ends[0]};
  status_childs_ = UniqueFd{ends[1]};
  // Somebody else may still hold the other end when gpg has ended.
  if (::fcntl(status_ours_.get(), F_SETFL, O_NONBLOCK) != 0) throw unable_to("set up a pipe");
}

GpgSideChannels::GpgSideChannels(const config::Secret& passphrase) : GpgSideChannels{} {
  passphrase_ = passphrase_file(passphrase);
}

ChildOptions GpgSideChannels::child(std::vector<std::string> argv) const {
  ChildOptions options{.argv = std::move(argv),
                       .environment = {{"LC_ALL", "C"}},  // its messages are quoted in ours
                       .grant = {{status_childs_.get(), gpg_status_fd}}};
  if (passphrase_) options.grant.push_back({passphrase_.get(), gpg_passphrase_fd});
  return options;
}

void GpgSideChannels::started() noexcept {
  passphrase_.reset();
  status_childs_.reset();
}

std::string GpgSideChannels::status() const {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t got = 0; (got = ::read(status_ours_.get(), block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

void require_success(const GpgEnd& end, const OpenPgpFraming& output) {
  constexpr std::size_t quoted_lines = 3;
  const auto lines = message_lines(end.stderr_tail, quoted_lines);
  const std::string said =
      lines.empty() ? std::string{} : fmt::format(": {}", fmt::join(lines, "; "));
  const auto failed = [&said](std::string_view how, std::string hint = {}) {
    return Error{Errc::transform, fmt::format("gpg {}{}", how, said), std::move(hint)};
  };
  if (end.exit.signal == SIGKILL) {
    throw failed("was " + end.exit.text(),
                 "Was the machine short of memory? See the kernel's log.");
  }
  if (end.exit.signal != 0) throw failed("was " + end.exit.text());
  if (end.exit.code != 0) throw failed("failed with " + end.exit.text());
  if (!end.fed_all) throw failed("ended before it had read everything");
  if (end.status.find("[GNUPG:] END_ENCRYPTION\n") == std::string::npos) {
    throw failed("did not confirm the end of the encryption");
  }
  if (!output.closed()) throw failed("ended its output in the middle of an OpenPGP packet");
  // Not compressed, and with a prefix and a digest: shorter can only mean that something is
  // missing.
  if (output.encrypted_bytes() <= end.bytes_fed) {
    throw failed(fmt::format("gave {} encrypted bytes for {} bytes", output.encrypted_bytes(),
                             end.bytes_fed));
  }
}

}  // namespace bp::stages
