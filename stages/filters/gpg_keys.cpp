#include "stages/filters/gpg_keys.hpp"

#include "stages/filters/gpg_child.hpp"
#include "stages/support/child_process.hpp"
#include "stages/support/tail_buffer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gpgme.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

namespace bp::stages {

namespace {

namespace fs = std::filesystem;
using Moment = std::chrono::system_clock::time_point;

constexpr std::chrono::seconds import_limit{60};
constexpr std::size_t max_key_bytes = std::size_t{8} << 20;

// ---- bringing them in

std::string complaint_of(const CommandResult& result) {
  const std::vector<std::string> lines = message_lines(result.errors, 2);
  if (lines.empty()) return result.status.text();
  return fmt::format("{}", fmt::join(lines, "; "));
}

Error unreadable(const KeyOrigin& origin, std::string_view why) {
  return Error{Errc::config, fmt::format("unable to read keys from {}: {}", origin.text(), why),
               "It has to hold public keys: gpg --export --armor FINGERPRINT… >keys.asc"};
}

/// gpg would make an empty keyring in a folder that has none.
void require_keyring(const KeyOrigin& origin) {
  std::error_code ignored;
  const fs::path& home = origin.gnupg_home;
  if (fs::exists(home / "pubring.kbx", ignored) || fs::exists(home / "pubring.gpg", ignored))
    return;
  throw Error{Errc::config, fmt::format("no keyring in {}", origin.text()),
              "There is no pubring.kbx or pubring.gpg that we may see. Keys that are elsewhere "
              "(keyboxd) can be exported to a file for `key_file`."};
}

/// The public keys that match `recipients` in somebody's home, by a gpg that leaves it as it is.
asio::awaitable<std::string> export_keys(StageContext& ctx, std::string binary, KeyOrigin origin,
                                         std::vector<std::string> recipients) {
  require_keyring(origin);
  ChildOptions options{.argv = quiet_gpg(binary, origin.gnupg_home.string())};
  for (const char* word : {"--lock-never", "--no-permission-warning", "--export", "--"}) {
    options.argv.emplace_back(word);
  }
  options.argv.insert(options.argv.end(), recipients.begin(), recipients.end());
  options.environment = {{"LC_ALL", "C"}, {"GNUPGHOME", origin.gnupg_home.string()}};
  CommandResult result = co_await run_command(ctx, std::move(options), import_limit, max_key_bytes);
  if (!result.status.success()) throw unreadable(origin, complaint_of(result));
  co_return std::move(result.output);
}

// ---- looking at them

struct ReleaseContext {
  void operator()(gpgme_ctx_t context) const { gpgme_release(context); }
};
struct ReleaseKey {
  void operator()(gpgme_key_t key) const { gpgme_key_unref(key); }
};
using Context = std::unique_ptr<std::remove_pointer_t<gpgme_ctx_t>, ReleaseContext>;
using Key = std::unique_ptr<std::remove_pointer_t<gpgme_key_t>, ReleaseKey>;

void check(gpgme_error_t error, std::string_view activity) {
  if (!error) return;
  std::array<char, 256> text{};
  gpgme_strerror_r(error, text.data(), text.size());
  throw Error{Errc::transform, fmt::format("unable to {}: {}", activity, text.data())};
}

std::vector<Key> all_keys(const std::string& binary, const fs::path& home) {
  const std::optional<std::string> program = find_program(binary);
  gpgme_check_version(nullptr);  // initialises the library; must come first
  gpgme_ctx_t created = nullptr;
  check(gpgme_new(&created), "use gpgme");
  const Context context{created};
  check(gpgme_ctx_set_engine_info(context.get(), GPGME_PROTOCOL_OpenPGP,
                                  program ? program->c_str() : nullptr, home.c_str()),
        "use gpgme");
  gpgme_set_offline(context.get(), 1);
  check(gpgme_op_keylist_start(context.get(), nullptr, 0), "list keys");
  std::vector<Key> keys;
  for (;;) {
    gpgme_key_t key = nullptr;
    const gpgme_error_t error = gpgme_op_keylist_next(context.get(), &key);
    if (gpgme_err_code(error) == GPG_ERR_EOF) break;
    check(error, "list keys");
    keys.emplace_back(key);
  }
  check(gpgme_op_keylist_end(context.get()), "list keys");
  return keys;
}

std::string_view text_of(const char* text) {
  return text == nullptr ? "" : text;
}

std::string upper(std::string_view text) {
  std::string result{text};
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::string user_of(const Key& key) {
  return std::string{key->uids == nullptr ? "no user id" : text_of(key->uids->uid)};
}

/// What a person may have meant: a key id, the fingerprint of a subkey, a part of a user id.
bool resembles(const Key& key, const std::string& recipient) {
  std::string wanted = upper(recipient);
  std::erase(wanted, ' ');
  if (wanted.starts_with("0X")) wanted.erase(0, 2);
  if (wanted.empty()) return false;
  for (gpgme_subkey_t subkey = key->subkeys; subkey != nullptr; subkey = subkey->next) {
    if (wanted.size() >= 8 && text_of(subkey->fpr).ends_with(wanted)) return true;
  }
  for (gpgme_user_id_t user = key->uids; user != nullptr; user = user->next) {
    if (upper(text_of(user->uid)).find(upper(recipient)) != std::string::npos) return true;
  }
  return false;
}

/// "the key is FPR (Ann <ann@example.org>)", for whoever named it otherwise.
std::string suggestion(const std::vector<Key>& keys, const std::string& recipient) {
  std::vector<std::string> matches;
  for (const Key& key : keys) {
    if (!resembles(key, recipient)) continue;
    matches.push_back(fmt::format("{} ({})", text_of(key->fpr), user_of(key)));
  }
  if (matches.empty()) return {};
  return fmt::format("Pin the key by its fingerprint: {}", fmt::join(matches, ", "));
}

std::string date_of(long seconds) {
  const std::chrono::sys_seconds moment{std::chrono::seconds{seconds}};
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(moment)};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

/// How good the encryption subkeys of a key are, taken together: one good one is enough.
struct Encryption {
  bool any = false;        ///< there is one at all
  bool any_valid = false;  ///< … neither revoked nor disabled
  bool usable = false;     ///< … nor expired
  long last_end = 0;       ///< when the last of the valid ones expires
  bool unlimited = false;  ///< … or that one never does
};

Encryption encryption_of(const Key& key, long now) {
  Encryption result;
  for (gpgme_subkey_t subkey = key->subkeys; subkey != nullptr; subkey = subkey->next) {
    if (!subkey->can_encrypt) continue;
    result.any = true;
    if (subkey->revoked || subkey->disabled) continue;
    result.any_valid = true;
    if (subkey->expires == 0) result.unlimited = true;
    if (subkey->expires == 0 || subkey->expires > now) result.usable = true;
    result.last_end = std::max(result.last_end, subkey->expires);
  }
  return result;
}

/// Throws what stands against encrypting to a key at `now`; else returns what is to be known of it.
RecipientKey judge(const Key& key, Moment moment) {
  const std::string title = fmt::format("key {} ({})", text_of(key->fpr), user_of(key));
  const auto refuse = [&title](std::string_view why, std::string hint) {
    return Error{Errc::config, fmt::format("{} {}", title, why), std::move(hint)};
  };
  const long now =
      std::chrono::duration_cast<std::chrono::seconds>(moment.time_since_epoch()).count();
  if (key->revoked) throw refuse("was revoked", "Ask its owner for the new one.");
  if (key->disabled) throw refuse("is disabled", "");
  const long key_end = key->subkeys == nullptr ? 0 : key->subkeys->expires;
  const std::string renew = "Have its owner extend it, and import it again.";
  if (key_end != 0 && key_end <= now) {
    throw refuse(fmt::format("expired on {}", date_of(key_end)), renew);
  }
  if (key->invalid) throw refuse("is not valid", "Its owner's signature on it may be missing.");
  const Encryption encryption = encryption_of(key, now);
  if (!encryption.any) throw refuse("cannot be encrypted to", "It has no subkey for encryption.");
  if (!encryption.any_valid) throw refuse("has only revoked subkeys for encryption", renew);
  if (!encryption.usable) {
    throw refuse(fmt::format("has no subkey for encryption since {}", date_of(encryption.last_end)),
                 renew);
  }
  RecipientKey result{.fingerprint = key->fpr, .user = user_of(key), .expires = std::nullopt};
  long end = encryption.unlimited ? 0 : encryption.last_end;
  if (key_end != 0) end = end == 0 ? key_end : std::min(end, key_end);
  if (end != 0) result.expires = Moment{std::chrono::seconds{end}};
  return result;
}

}  // namespace

std::string KeyOrigin::text() const {
  return fmt::format("'{}'", (key_file.empty() ? gnupg_home : key_file).string());
}

std::optional<std::string> full_fingerprint(std::string_view text) {
  constexpr std::size_t digits = 40;
  std::string written = upper(text);
  std::erase(written, ' ');
  const bool is_hex =
      std::ranges::all_of(written, [](unsigned char c) { return std::isxdigit(c); });
  if (written.size() != digits || !is_hex) return std::nullopt;
  const std::string& fingerprint = written;
  return fingerprint;  // copied: g++ 12 warns of the move of a string whose length it has worked
                       // out
}

asio::awaitable<void> import_keys(StageContext& ctx, std::string binary, KeyOrigin origin,
                                  std::vector<std::string> recipients, fs::path home) {
  fs::path file = origin.key_file;
  if (file.empty()) {
    const std::string keys = co_await export_keys(ctx, binary, origin, std::move(recipients));
    if (keys.empty()) throw unreadable(origin, "none of the recipients is there");
    file = home / "exported-keys";
    if (!(std::ofstream{file, std::ios::binary} << keys << std::flush)) {
      throw Error{Errc::transform, fmt::format("unable to write '{}'", file.string())};
    }
  }
  ChildOptions options{.argv = quiet_gpg(binary, home.string())};
  for (const std::string& word : {std::string{"--import"}, std::string{"--"}, file.string()}) {
    options.argv.push_back(word);
  }
  options.environment = {{"LC_ALL", "C"}, {"GNUPGHOME", home.string()}};
  const CommandResult result =
      co_await run_command(ctx, std::move(options), import_limit, max_key_bytes);
  if (!result.status.success()) throw unreadable(origin, complaint_of(result));
}

std::vector<RecipientKey> check_recipients(const std::string& binary, const fs::path& home,
                                           const std::vector<std::string>& recipients,
                                           const KeyOrigin& origin, Moment now) {
  const std::vector<Key> keys = all_keys(binary, home);
  std::vector<RecipientKey> result;
  for (const std::string& recipient : recipients) {
    const std::optional<std::string> fingerprint = full_fingerprint(recipient);
    if (!fingerprint) {
      throw Error{Errc::config, fmt::format("recipient '{}' is no full fingerprint", recipient),
                  suggestion(keys, recipient)};
    }
    const auto found = std::ranges::find_if(
        keys, [&fingerprint](const Key& key) { return text_of(key->fpr) == *fingerprint; });
    if (found == keys.end()) {
      throw Error{Errc::config, fmt::format("no key {} in {}", *fingerprint, origin.text()),
                  suggestion(keys, *fingerprint)};
    }
    result.push_back(judge(*found, now));
  }
  return result;
}

}  // namespace bp::stages
