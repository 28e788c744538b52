// stages/support/secret_resolver.hpp — turns a secret's address in the job file into the secret.
#pragma once

#include "config/secret.hpp"
#include "engine/stage.hpp"

#include <boost/asio/awaitable.hpp>

namespace bp::stages {

/// Resolves a secret at preflight. A command runs with stdin closed, 30 s, 64 KiB; a file must be
/// as trusted as the job file; one trailing newline is cut from both; an empty result is an error.
/// Waits; throws Errc::config naming the key's place, never the secret. I/O thread.
[[nodiscard]] asio::awaitable<config::Secret> resolve_secret(config::SecretRef reference,
                                                             StageContext& ctx);

}  // namespace bp::stages
