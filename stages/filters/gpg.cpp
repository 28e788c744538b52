#include "stages/filters/gpg.hpp"

#include "engine/blocking.hpp"
#include "stages/filters/gpg_engine.hpp"
#include "stages/filters/gpg_home.hpp"
#include "stages/filters/gpg_recipients.hpp"
#include "stages/filters/gpg_run.hpp"
#include "stages/registry.hpp"
#include "stages/support/secret_resolver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace bp::stages {

namespace {

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

class GpgSymmetric final : public Filter {
 public:
  GpgSymmetric(GpgOptions options, config::SecretRef passphrase, Journal* journal)
      : options_{std::move(options)}, reference_{std::move(passphrase)}, journal_{journal} {}

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
    const GpgHome home{journal_, std::string{ctx.name()}};
    std::string version;
    std::function<void()> ask = [this, &home, &version] {
      version = check_gpg_engine(options_.binary, home.path().string());
    };
    co_await on_own_thread("gpg check", std::move(ask));
    GpgSideChannels channels{passphrase_};
    std::vector<std::string> argv = gpg_argv(options_.binary, home.path().string());
    co_await rehearse_gpg(ctx, std::move(channels), std::move(argv));
    ctx.note("gpg", version);
  }

  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext& ctx) override {
    const GpgHome home{journal_, std::string{ctx.name()}};
    GpgSideChannels channels{passphrase_};
    std::vector<std::string> argv = gpg_argv(options_.binary, home.path().string());
    passphrase_ = {};
    co_await run_gpg(in, out, ctx, std::move(channels), std::move(argv), options_.idle_limit);
  }

 private:
  GpgOptions options_;
  config::SecretRef reference_;
  Journal* journal_;
  config::Secret passphrase_;  ///< from preflight until gpg has it
};

constexpr const char* shown_home = "PRIVATE-FOLDER";

std::string optional_path(config::OptionReader& options, std::string_view key) {
  if (options.has(key)) return options.path(key);
  options.accept(key);
  return {};
}

FilterType with_passphrase(config::OptionReader& options, const std::string& binary) {
  for (const char* key : {"key_file", "gnupg_home"}) {
    if (options.has(key)) options.fail(key, fmt::format("'{}' needs 'recipients'", key));
    options.accept(key);
  }
  const std::optional<config::SecretRef> own = options.optional_secret("passphrase");
  FilterType type{.extension = ".gpg",
                  .encrypts = true,
                  .takes_passphrase = true,
                  .has_passphrase = own.has_value(),
                  .argv = gpg_argv(binary, shown_home)};
  type.make = [own, binary](const BuildContext& context) -> std::unique_ptr<Filter> {
    const std::optional<config::SecretRef>& secret = context.passphrase ? context.passphrase : own;
    if (!secret) throw Error{Errc::config, "the gpg filter has no passphrase"};
    return gpg_filter({.binary = binary}, *secret, context.journal);
  };
  return type;
}

/// In one spelling, so that a key that is named twice is seen; other names are refused when the
/// keys are there to tell the right one.
std::vector<std::string> read_recipients(config::OptionReader& options) {
  std::vector<std::string> recipients = options.list("recipients");
  if (recipients.empty()) {
    options.fail("recipients", "'recipients' is empty",
                 "Leave it out to encrypt with a passphrase.");
  }
  for (std::string& recipient : recipients) {
    recipient = full_fingerprint(recipient).value_or(recipient);
    if (std::ranges::count(recipients, recipient) > 1) {
      options.fail("recipients", fmt::format("'{}' is there twice", recipient));
    }
  }
  return recipients;
}

FilterType with_recipients(config::OptionReader& options, const std::string& binary) {
  RecipientOptions made{.binary = binary, .recipients = read_recipients(options), .origin = {}};
  if (options.has("passphrase")) {
    options.fail("passphrase", "'recipients' and 'passphrase' exclude each other",
                 "Use two filters for copies of both kinds.");
  }
  options.accept("passphrase");
  made.origin.key_file = optional_path(options, "key_file");
  made.origin.gnupg_home = optional_path(options, "gnupg_home");
  if (options.has("key_file") && options.has("gnupg_home")) {
    options.fail("key_file", "'key_file' and 'gnupg_home' exclude each other");
  }
  if (!options.has("key_file") && !options.has("gnupg_home")) {
    options.fail("recipients", "'recipients' needs 'key_file' or 'gnupg_home'",
                 "gpg --export --armor FINGERPRINT… >keys.asc makes such a file.");
  }
  FilterType type{.extension = ".gpg",
                  .encrypts = true,
                  .takes_passphrase = false,
                  .argv = gpg_recipients_argv(binary, shown_home, made.recipients)};
  type.make = [made](const BuildContext& context) { return gpg_recipients(made, context.journal); };
  return type;
}

}  // namespace

std::unique_ptr<Filter> gpg_filter(GpgOptions options, config::SecretRef passphrase,
                                   Journal* journal) {
  return std::make_unique<GpgSymmetric>(std::move(options), std::move(passphrase), journal);
}

void register_filter_gpg(Registry& registry) {
  registry.add_filter("gpg", [](config::OptionReader& options) {
    const std::string binary = options.text("binary", "gpg");
    if (options.has("recipients")) return with_recipients(options, binary);
    options.accept("recipients");
    return with_passphrase(options, binary);
  });
}

}  // namespace bp::stages
