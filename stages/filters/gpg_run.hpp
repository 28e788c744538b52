// stages/filters/gpg_run.hpp — one stream through a gpg child of ours, and the proof that it came
// out whole.
//
// A child and not gpgme's data path: gpgme 1.18 reports success for a truncated ciphertext when gpg
// is killed, a wait status does not lie. The stream is good when all of this holds: upstream said
// that was all, gpg took every byte of it, exited 0, said END_ENCRYPTION, and its output ends where
// an OpenPGP packet ends.
#pragma once

#include "engine/stage.hpp"
#include "stages/support/unique_fd.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace bp::stages {

/// The numbers under which gpg sees its descriptors.
inline constexpr int gpg_passphrase_fd = 3;
inline constexpr int gpg_status_fd = 4;

/// How gpg is started for one stream. It must read stdin, write stdout, and tell its status on
/// gpg_status_fd.
struct GpgCommand {
  std::vector<std::string> argv;
  std::string home;
  UniqueFd passphrase;  ///< seen as gpg_passphrase_fd, closed here once gpg has it; may be none
};

/// What every gpg of ours is told: a home of its own, nobody to ask, no helper to start, nothing to
/// write there.
[[nodiscard]] std::vector<std::string> quiet_gpg(const std::string& binary,
                                                 const std::string& home);

/// What a filter around run_gpg() holds: one chunk being fed, one being filled, one handed on, and
/// gpg.
[[nodiscard]] MemoryDemand gpg_memory_demand() noexcept;

/// Encrypts the whole stream. Returns only when the proof above is complete; throws Errc::transform
/// with gpg's last words otherwise, or Errc::timeout when gpg does nothing for five minutes. Notes
/// "exit". I/O thread.
[[nodiscard]] asio::awaitable<void> run_gpg(Inlet& in, Outlet& out, StageContext& ctx,
                                            GpgCommand command);

}  // namespace bp::stages
