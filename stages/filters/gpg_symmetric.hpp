// stages/filters/gpg_symmetric.hpp — encryption with a passphrase.
#pragma once

#include "config/secret.hpp"
#include "engine/stage.hpp"

#include <memory>
#include <string>
#include <vector>

namespace bp::stages {

class Journal;

/// The command, as it is run in a gpg home of ours.
[[nodiscard]] std::vector<std::string> gpg_symmetric_argv(const std::string& binary,
                                                          const std::string& home);

/// A filter that resolves and checks the passphrase at preflight. `journal` may be null and must
/// outlive it.
[[nodiscard]] std::unique_ptr<Filter> gpg_symmetric(std::string binary,
                                                    config::SecretRef passphrase, Journal* journal);

}  // namespace bp::stages
