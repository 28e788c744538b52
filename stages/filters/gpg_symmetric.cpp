#include "stages/filters/gpg_symmetric.hpp"

#include "engine/blocking.hpp"
#include "stages/filters/gpg_engine.hpp"
#include "stages/filters/gpg_home.hpp"
#include "stages/filters/gpg_run.hpp"
#include "stages/support/secret_resolver.hpp"

#include <fmt/format.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

namespace bp::stages {

namespace {

/// gpg takes the first line only, at most 255 bytes of it, and says nothing about the rest.
void check_passphrase(const config::Secret& passphrase, const std::string& where) {
  constexpr std::size_t longest = 255;
  const std::string& text = passphrase.reveal();
  if (text.size() > longest) {
    throw Error{Errc::config,
                fmt::format("{}: the passphrase has more than {} bytes", where, longest)};
  }
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    throw Error{Errc::config, fmt::format("{}: the passphrase has a control character", where),
                "gpg would silently use only what is before a line break."};
  }
}

/// The passphrase in anonymous memory, to be read by the child from a descriptor.
UniqueFd passphrase_file(const config::Secret& passphrase) {
  UniqueFd file{::memfd_create("passphrase", MFD_CLOEXEC)};
  const std::string& text = passphrase.reveal();
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::write(file.get(), "\n", 1) != 1 || ::lseek(file.get(), 0, SEEK_SET) != 0) {
    throw Error{Errc::transform,
                fmt::format("unable to hand over the passphrase: {}", system_reason(errno))};
  }
  return file;
}

class GpgSymmetric final : public Filter {
 public:
  GpgSymmetric(std::string binary, config::SecretRef passphrase, Journal* journal)
      : binary_{std::move(binary)}, reference_{std::move(passphrase)}, journal_{journal} {}

  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return gpg_memory_demand();
  }

  asio::awaitable<void> preflight(StageContext& ctx) override {
    passphrase_ = co_await resolve_secret(reference_, ctx);
    check_passphrase(passphrase_, reference_.where());
    constexpr std::size_t short_passphrase = 16;
    if (passphrase_.reveal().size() < short_passphrase) {
      ctx.warn(fmt::format("{}: the passphrase has fewer than {} bytes", reference_.where(),
                           short_passphrase));
    }
    std::string version;
    std::function<void()> ask = [this, &version] { version = check_gpg_engine(binary_); };
    co_await on_own_thread("gpg check", std::move(ask));
    ctx.note("gpg", version);
  }

  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext& ctx) override {
    const GpgHome home{journal_, std::string{ctx.name()}};
    GpgCommand command{.argv = gpg_symmetric_argv(binary_, home.path().string()),
                       .home = home.path().string(),
                       .passphrase = passphrase_file(passphrase_)};
    co_await run_gpg(in, out, ctx, std::move(command));
  }

 private:
  std::string binary_;
  config::SecretRef reference_;
  Journal* journal_;
  config::Secret passphrase_;
};

}  // namespace

std::vector<std::string> gpg_symmetric_argv(const std::string& binary, const std::string& home) {
  std::vector<std::string> argv = quiet_gpg(binary, home);
  const std::vector<std::string> rest{"--status-fd",
                                      std::to_string(gpg_status_fd),
                                      "--passphrase-fd",
                                      std::to_string(gpg_passphrase_fd),
                                      "--pinentry-mode",
                                      "loopback",
                                      "--symmetric",
                                      "--cipher-algo",
                                      "AES256",
                                      "--s2k-mode",
                                      "3",
                                      "--s2k-digest-algo",
                                      "SHA512",
                                      "--s2k-count",
                                      "65011712",
                                      "--compress-algo",
                                      "none",
                                      "--output",
                                      "-"};
  argv.insert(argv.end(), rest.begin(), rest.end());
  return argv;
}

std::unique_ptr<Filter> gpg_symmetric(std::string binary, config::SecretRef passphrase,
                                      Journal* journal) {
  return std::make_unique<GpgSymmetric>(std::move(binary), std::move(passphrase), journal);
}

}  // namespace bp::stages
