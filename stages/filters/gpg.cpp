// stages/filters/gpg.cpp — OpenPGP encryption: with a passphrase, or to public keys.
#include "stages/filters/gpg_recipients.hpp"
#include "stages/filters/gpg_symmetric.hpp"
#include "stages/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bp::stages {

namespace {

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
                  .argv = gpg_symmetric_argv(binary, shown_home)};
  type.make = [own, binary](const BuildContext& context) -> std::unique_ptr<Filter> {
    const std::optional<config::SecretRef>& secret = context.passphrase ? context.passphrase : own;
    if (!secret) throw Error{Errc::config, "the gpg filter has no passphrase"};
    return gpg_symmetric(binary, *secret, context.journal);
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

void register_filter_gpg(Registry& registry) {
  registry.add_filter("gpg", [](config::OptionReader& options) {
    const std::string binary = options.text("binary", "gpg");
    if (options.has("recipients")) return with_recipients(options, binary);
    options.accept("recipients");
    return with_passphrase(options, binary);
  });
}

}  // namespace bp::stages
