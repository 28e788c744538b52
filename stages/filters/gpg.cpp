// A child and not gpgme's data path: gpgme 1.18 reports success for a truncated ciphertext when gpg
// is killed, a wait status does not lie. The stream is good when all of this holds: upstream said
// that was all, gpg took every byte of it, exited 0, said END_ENCRYPTION, and its output is one
// encrypted packet, whole and not shorter than what went in.
#include "stages/filters/gpg.hpp"

#include "engine/blocking.hpp"
#include "stages/filters/gpg_child.hpp"
#include "stages/filters/gpg_engine.hpp"
#include "stages/filters/gpg_home.hpp"
#include "stages/registry.hpp"
#include "stages/support/run_beside.hpp"
#include "stages/support/secret_resolver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bp::stages {

namespace {

/// What a gpg child holds while it encrypts, measured: 5 MiB resident, libraries included.
constexpr std::size_t gpg_bytes = std::size_t{6} << 20;

/// gpg takes the first line only, and its agent at most 255 bytes of it; neither says a word.
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

/// One encryption while it runs.
struct Encryption {
  ChildProcess child;
  OpenPgpFraming framing;
  bool fed_all = false;
  std::uint64_t bytes_fed = 0;
};

asio::awaitable<void> feed(Encryption& encryption, Inlet& in) {
  while (const std::optional<Chunk> chunk = co_await in.pop()) {
    const bool taken = co_await encryption.child.feed(chunk->bytes());
    if (!taken) co_return;  // how gpg ended says why
    encryption.bytes_fed += chunk->bytes().size();
  }
  encryption.child.finish_stdin();
  encryption.fed_all = true;
}

asio::awaitable<void> drain(Encryption& encryption, const GpgSideChannels& channels, Outlet& out,
                            StageContext& ctx) {
  for (bool more = true; more;) {
    Buffer buffer = ctx.pool().acquire();
    more = co_await encryption.child.fill(buffer);
    if (buffer.empty()) break;
    Chunk chunk = std::move(buffer).freeze();
    encryption.framing.feed(chunk.bytes());
    co_await out.push(std::move(chunk));
  }
  // End of file only says that stdout was closed. A gpg that died closed it, too.
  const ExitStatus exit = co_await encryption.child.exited();
  ctx.note("exit", exit.signal == 0 ? std::to_string(exit.code) : exit.text());
  require_success({.exit = exit,
                   .stderr_tail = encryption.child.stderr_tail(),
                   .status = channels.status(),
                   .fed_all = encryption.fed_all,
                   .bytes_fed = encryption.bytes_fed},
                  encryption.framing);
}

class GpgSymmetric final : public Filter {
 public:
  GpgSymmetric(GpgOptions options, config::SecretRef passphrase, Journal* journal)
      : options_{std::move(options)}, reference_{std::move(passphrase)}, journal_{journal} {}

  /// One chunk being fed, one being filled or handed on.
  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return {.min_chunks = 2, .wanted_chunks = 2, .library_bytes = gpg_bytes};
  }

  asio::awaitable<void> preflight(StageContext& ctx) override {
    passphrase_ = co_await resolve_secret(reference_, ctx);
    check_passphrase(passphrase_, reference_.where());
    constexpr std::size_t short_passphrase = 16;
    if (passphrase_.reveal().size() < short_passphrase) {
      ctx.warn(fmt::format("{}: the passphrase has fewer than {} bytes", reference_.where(),
                           short_passphrase));
    }
    const GpgHome home{journal_, std::string{ctx.name()}};
    std::string version;
    std::function<void()> ask = [this, &home, &version] {
      version = check_gpg_engine(options_.binary, home.path().string());
    };
    co_await on_own_thread("gpg check", std::move(ask));
    co_await encrypt_nothing(home, ctx);
    ctx.note("gpg", version);
  }

  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext& ctx) override {
    const GpgHome home{journal_, std::string{ctx.name()}};
    GpgSideChannels channels{passphrase_};
    ChildOptions child = channels.child(options_.binary, home.path().string());
    child.feed_stdin = true;
    child.idle_limit = options_.idle_limit;
    Encryption encryption{.child = ChildProcess::start(ctx, std::move(child)), .framing = {}};
    channels.started();
    passphrase_ = {};
    auto draining = drain(encryption, channels, out, ctx);
    auto feeding = feed(encryption, in);
    co_await run_beside(std::move(draining), std::move(feeding));
  }

 private:
  /// A rehearsal with an empty input: what would go wrong after hours of dumping goes wrong now.
  asio::awaitable<void> encrypt_nothing(const GpgHome& home, StageContext& ctx) {
    constexpr std::chrono::seconds limit{30};
    constexpr std::size_t max_output = 4096;
    GpgSideChannels channels{passphrase_};
    ChildOptions child = channels.child(options_.binary, home.path().string());
    const CommandResult result = co_await run_command(ctx, std::move(child), limit, max_output);
    channels.started();
    try {
      OpenPgpFraming framing;
      framing.feed(std::as_bytes(std::span{result.output}));
      require_success({.exit = result.status,
                       .stderr_tail = result.errors,
                       .status = channels.status(),
                       .fed_all = true},
                      framing);
    } catch (const Error& error) {
      throw error.within("encrypt nothing as a test");
    }
  }

  GpgOptions options_;
  config::SecretRef reference_;
  Journal* journal_;
  config::Secret passphrase_;  ///< from preflight until gpg has it
};

}  // namespace

std::unique_ptr<Filter> gpg_filter(GpgOptions options, config::SecretRef passphrase,
                                   Journal* journal) {
  return std::make_unique<GpgSymmetric>(std::move(options), std::move(passphrase), journal);
}

void register_filter_gpg(Registry& registry) {
  registry.add_filter("gpg", [](config::OptionReader& options) {
    const std::optional<config::SecretRef> own = options.optional_secret("passphrase");
    const std::string binary = options.text("binary", "gpg");
    FilterType type{.extension = ".gpg",
                    .encrypts = true,
                    .takes_passphrase = true,
                    .has_passphrase = own.has_value(),
                    .argv = gpg_argv(binary, "PRIVATE-FOLDER")};
    type.make = [own, binary](const BuildContext& context) {
      const std::optional<config::SecretRef>& secret =
          context.passphrase ? context.passphrase : own;
      if (!secret) throw Error{Errc::config, "the gpg filter has no passphrase"};
      return gpg_filter({.binary = binary}, *secret, context.journal);
    };
    return type;
  });
}

}  // namespace bp::stages
