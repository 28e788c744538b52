// stages/filters/gpg_keys.hpp — public keys: brought into a gpg home of ours, and looked at.
//
// gpg imports them, as a child that may not start an agent; gpgme, whose children may, only reads
// the list. The user's own home is asked for its public keys once, without a lock or an option
// file, and no later gpg goes near it.
#pragma once

#include "engine/stage.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bp::stages {

/// Where public keys come from: one of the two.
struct KeyOrigin {
  std::filesystem::path key_file;    ///< armored or binary, any number of keys
  std::filesystem::path gnupg_home;  ///< somebody's, left as it is
  /// "'/etc/backup-pipe/keys.asc'", for messages.
  [[nodiscard]] std::string text() const;
};

/// A key that was asked for and can be encrypted to.
struct RecipientKey {
  std::string fingerprint;
  std::string user;  ///< its first user id
  std::optional<std::chrono::system_clock::time_point> expires;
};

/// The fingerprint as gpg prints it, without spaces, when `text` is 40 hexadecimal digits.
[[nodiscard]] std::optional<std::string> full_fingerprint(std::string_view text);

/// Imports what `origin` has into `home`, a folder of ours: all of a key file, what matches
/// `recipients` of a gnupg home. Throws Errc::config when there are no keys to be had. Waits. I/O
/// thread.
[[nodiscard]] asio::awaitable<void> import_keys(StageContext& ctx, std::string binary,
                                                KeyOrigin origin,
                                                std::vector<std::string> recipients,
                                                std::filesystem::path home);

/// The keys of `recipients` among those in `home`, in that order. Throws Errc::config for the first
/// that is not there, is named by anything but its full fingerprint (the hint tells it), or cannot
/// be encrypted to at `now`. Blocks: not for the I/O thread.
[[nodiscard]] std::vector<RecipientKey> check_recipients(const std::string& binary,
                                                         const std::filesystem::path& home,
                                                         const std::vector<std::string>& recipients,
                                                         const KeyOrigin& origin,
                                                         std::chrono::system_clock::time_point now);

}  // namespace bp::stages
