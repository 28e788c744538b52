// stages/filters/gpg_child.hpp — how gpg is called to encrypt, and what it has to prove afterwards.
#pragma once

#include "config/secret.hpp"
#include "stages/support/child_process.hpp"
#include "stages/support/openpgp_framing.hpp"
#include "stages/support/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace bp::stages {

/// The command that encrypts stdin to stdout without writing a file. `home` is read by nobody else.
[[nodiscard]] std::vector<std::string> gpg_argv(const std::string& binary, const std::string& home);

/// What passes between gpg and us besides the payload: the passphrase in, its status words out.
class GpgSideChannels {
 public:
  /// Throws Errc::transform.
  explicit GpgSideChannels(const config::Secret& passphrase);

  /// The child to start, without a feed.
  [[nodiscard]] ChildOptions child(const std::string& binary, const std::string& home) const;
  /// To be called once the child is there: what is the child's alone goes, the passphrase too.
  void started() noexcept;
  /// What it said, to be asked when it has ended: a run says a few lines, less than a pipe holds.
  [[nodiscard]] std::string status() const;

 private:
  UniqueFd passphrase_, status_ours_, status_childs_;
};

/// What is known of one encryption after gpg's end.
struct GpgEnd {
  ExitStatus exit;
  std::string stderr_tail;
  std::string status;    ///< GpgSideChannels::status()
  bool fed_all = false;  ///< the input was stated to be over, and gpg took all of it
  std::uint64_t bytes_fed = 0;
};

/// Throws Errc::transform unless everything says that `output` is all of the input, encrypted.
void require_success(const GpgEnd& end, const OpenPgpFraming& output);

}  // namespace bp::stages
