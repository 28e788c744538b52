// stages/filters/gpg.hpp — symmetric OpenPGP encryption by a gpg child of ours.
#pragma once

#include "config/secret.hpp"
#include "engine/stage.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace bp::stages {

class Journal;

struct GpgOptions {
  std::string binary = "gpg";
  /// How long gpg may neither take what it is offered nor give anything.
  std::chrono::milliseconds idle_limit = std::chrono::minutes{5};
};

/// Encrypts with a passphrase that is looked up at preflight: at most 255 bytes, no control
/// characters. `journal` may be null; otherwise it outlives the filter.
[[nodiscard]] std::unique_ptr<Filter> gpg_filter(GpgOptions options, config::SecretRef passphrase,
                                                 Journal* journal);

}  // namespace bp::stages
