// stages/filters/gpg_run.hpp — one stream through a gpg child of ours, and the proof that it came
// out whole.
//
// A child and not gpgme's data path: gpgme 1.18 reports success for a truncated ciphertext when gpg
// is killed, a wait status does not lie. The stream is good when all of this holds: upstream said
// that was all, gpg took every byte of it, exited 0, said END_ENCRYPTION, and its output is one
// encrypted packet, whole and not shorter than what went in.
#pragma once

#include "engine/stage.hpp"
#include "stages/filters/gpg_child.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace bp::stages {

/// What a filter around run_gpg() holds: one chunk being fed, one being filled or handed on, and
/// gpg.
[[nodiscard]] MemoryDemand gpg_memory_demand() noexcept;

/// Encrypts the whole stream with `argv`. Returns only when the proof above is complete; throws
/// Errc::transform with gpg's last words otherwise, Errc::timeout when gpg does nothing for
/// `idle_limit`. Notes "exit". I/O thread.
[[nodiscard]] asio::awaitable<void> run_gpg(Inlet& in, Outlet& out, StageContext& ctx,
                                            GpgSideChannels channels, std::vector<std::string> argv,
                                            std::chrono::milliseconds idle_limit);

/// The same with an empty input: what would go wrong after hours of dumping goes wrong now. I/O
/// thread.
[[nodiscard]] asio::awaitable<void> rehearse_gpg(StageContext& ctx, GpgSideChannels channels,
                                                 std::vector<std::string> argv);

}  // namespace bp::stages
