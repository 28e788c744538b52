// stages/filters/gpg_recipients.hpp — encryption to public keys: each recipient can open it alone.
#pragma once

#include "engine/stage.hpp"
#include "stages/filters/gpg_keys.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace bp::stages {

class Journal;

struct RecipientOptions {
  std::string binary = "gpg";
  std::vector<std::string> recipients;  ///< full fingerprints; others are refused at preflight
  KeyOrigin origin;
  /// How long gpg may neither take what it is offered nor give anything.
  std::chrono::milliseconds idle_limit = std::chrono::minutes{5};
};

/// The command, as it is run in a gpg home of ours.
[[nodiscard]] std::vector<std::string> gpg_recipients_argv(
    const std::string& binary, const std::string& home, const std::vector<std::string>& recipients);

/// A filter whose preflight imports the keys, checks each, warns of one that expires within 30
/// days, and encrypts nothing to all of them to prove that gpg agrees. Its gpg home lives from then
/// to the end of transform(). `journal` may be null and must outlive it.
[[nodiscard]] std::unique_ptr<Filter> gpg_recipients(RecipientOptions options, Journal* journal);

}  // namespace bp::stages
