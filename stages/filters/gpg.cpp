// stages/filters/gpg.cpp — symmetric OpenPGP encryption by a gpg child of ours.
//
// A child and not gpgme's data path: gpgme 1.18 reports success for a truncated ciphertext when gpg is killed,
// a wait status does not lie. The stream is good when all of this holds: upstream said that was all, gpg took
// every byte of it, exited 0, said END_ENCRYPTION, and its output ends where an OpenPGP packet ends.
#include "engine/blocking.hpp"
#include "stages/filters/gpg_engine.hpp"
#include "stages/filters/gpg_home.hpp"
#include "stages/registry.hpp"
#include "stages/support/child_process.hpp"
#include "stages/support/openpgp_framing.hpp"
#include "stages/support/run_beside.hpp"
#include "stages/support/secret_resolver.hpp"
#include "stages/support/unique_fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace bp::stages {

namespace {

constexpr int passphrase_fd = 3;
constexpr int status_fd = 4;
/// What a gpg child holds while it encrypts, measured: resident set less shared libraries, rounded up.
constexpr std::size_t gpg_bytes = std::size_t{6} << 20;
constexpr std::chrono::minutes idle_limit{5};

std::vector<std::string> gpg_argv(const std::string& binary, const std::string& home) {
  return {binary,
          "--homedir", home,
          "--batch", "--no-tty", "--quiet", "--no-autostart",
          "--no-random-seed-file", "--no-auto-check-trustdb",
          "--status-fd", std::to_string(status_fd),
          "--passphrase-fd", std::to_string(passphrase_fd), "--pinentry-mode", "loopback",
          "--symmetric",
          "--cipher-algo", "AES256",
          "--s2k-mode", "3", "--s2k-digest-algo", "SHA512", "--s2k-count", "65011712",
          "--compress-algo", "none",
          "--output", "-"};
}

/// gpg takes the first line only, at most 255 bytes of it, and says nothing about the rest.
void check_passphrase(const config::Secret& passphrase, const std::string& where) {
  constexpr std::size_t longest = 255;
  const std::string& text = passphrase.reveal();
  if (text.size() > longest) {
    throw Error{Errc::config, fmt::format("{}: the passphrase has more than {} bytes", where, longest)};
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
    throw Error{Errc::transform, fmt::format("unable to hand over the passphrase: {}",
                                             system_reason(errno))};
  }
  return file;
}

/// gpg's machine-readable words. A run says a handful of lines, far less than a pipe holds, so they are read
/// when gpg has ended.
class StatusPipe {
 public:
  StatusPipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
      throw Error{Errc::transform, fmt::format("unable to make a pipe: {}", system_reason(errno))};
    }
    ours_ = UniqueFd{ends[0]};
    childs_ = UniqueFd{ends[1]};
  }
  [[nodiscard]] int childs_end() const noexcept { return childs_.get(); }
  void started() noexcept { childs_.reset(); }
  [[nodiscard]] std::string read_all() const {
    std::string text;
    std::array<char, 4096> block{};
    for (ssize_t got = 0; (got = ::read(ours_.get(), block.data(), block.size())) > 0;) {
      text.append(block.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  UniqueFd ours_, childs_;
};

/// What is known about one encryption while it runs.
struct Encryption {
  ChildProcess child;
  StatusPipe& status;
  OpenPgpFraming framing;
  bool input_ended = false;
};

asio::awaitable<void> feed(Encryption& encryption, Inlet& in) {
  while (const std::optional<Chunk> chunk = co_await in.pop()) {
    const bool taken = co_await encryption.child.feed(chunk->bytes());
    if (!taken) co_return;  // how gpg ended says why
  }
  encryption.child.finish_stdin();
  encryption.input_ended = true;
}

void judge(const Encryption& encryption, const ExitStatus& exit) {
  const std::string last_words = encryption.child.last_words();
  const std::string said = last_words.empty() ? "" : fmt::format(": {}", last_words);
  if (exit.signal != 0) {
    throw Error{Errc::transform, fmt::format("gpg was {}{}", exit.text(), said),
                exit.signal == SIGKILL ? "Was the machine short of memory? See the kernel's log." : ""};
  }
  if (exit.code != 0) throw Error{Errc::transform, fmt::format("gpg failed with {}{}", exit.text(), said)};
  if (!encryption.input_ended) {
    throw Error{Errc::transform, fmt::format("gpg ended before it had read everything{}", said)};
  }
  if (encryption.status.read_all().find("[GNUPG:] END_ENCRYPTION") == std::string::npos) {
    throw Error{Errc::transform, fmt::format("gpg did not confirm the end of the encryption{}", said)};
  }
  if (!encryption.framing.closed()) {
    throw Error{Errc::transform, "gpg's output ends in the middle of an OpenPGP packet"};
  }
}

asio::awaitable<void> drain(Encryption& encryption, Outlet& out, StageContext& ctx) {
  for (bool more = true; more;) {
    Buffer buffer = ctx.pool().acquire();
    more = co_await encryption.child.fill(buffer);
    if (buffer.empty()) break;
    Chunk chunk = std::move(buffer).freeze();
    encryption.framing.feed(chunk.bytes());
    co_await out.push(std::move(chunk));
  }
  const ExitStatus exit = co_await encryption.child.exited();
  ctx.note("exit", std::to_string(exit.code));
  judge(encryption, exit);
}

class GpgSymmetric final : public Filter {
 public:
  GpgSymmetric(std::string binary, config::SecretRef passphrase, Journal* journal)
      : binary_{std::move(binary)}, reference_{std::move(passphrase)}, journal_{journal} {}

  /// One chunk being fed, one being filled, one handed on.
  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return {.min_chunks = 3, .wanted_chunks = 3, .library_bytes = gpg_bytes};
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
    StatusPipe status;
    UniqueFd passphrase = passphrase_file(passphrase_);
    ChildOptions options{.argv = gpg_argv(binary_, home.path().string()),
                         .environment = {{"LC_ALL", "C"}, {"GNUPGHOME", home.path().string()}},
                         .feed_stdin = true,
                         .grant = {{passphrase.get(), passphrase_fd}, {status.childs_end(), status_fd}},
                         .idle_limit = idle_limit};
    Encryption encryption{.child = ChildProcess::start(ctx, std::move(options)),
                          .status = status,
                          .framing = {}};
    passphrase.reset();
    status.started();
    auto draining = drain(encryption, out, ctx);
    auto feeding = feed(encryption, in);
    co_await run_beside(std::move(draining), std::move(feeding));
  }

 private:
  std::string binary_;
  config::SecretRef reference_;
  Journal* journal_;
  config::Secret passphrase_;
};

}  // namespace

void register_filter_gpg(Registry& registry) {
  registry.add_filter("gpg", [](config::OptionReader& options) {
    const std::optional<config::SecretRef> own = options.optional_secret("passphrase");
    const std::string binary = options.text("binary", "gpg");
    FilterType type{.extension = ".gpg",
                    .encrypts = true,
                    .takes_passphrase = true,
                    .has_passphrase = own.has_value(),
                    .argv = gpg_argv(binary, "PRIVATE-FOLDER")};
    type.make = [own, binary](const BuildContext& context) -> std::unique_ptr<Filter> {
      const std::optional<config::SecretRef>& secret = context.passphrase ? context.passphrase : own;
      if (!secret) throw Error{Errc::config, "the gpg filter has no passphrase"};
      return std::make_unique<GpgSymmetric>(binary, *secret, context.journal);
    };
    return type;
  });
}

}  // namespace bp::stages
