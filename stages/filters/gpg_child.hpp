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

/// The numbers under which gpg sees what is not payload.
inline constexpr int gpg_passphrase_fd = 3;
inline constexpr int gpg_status_fd = 4;

/// What every gpg of ours is told: obey no option file, ask nobody, start no helper, write nothing
/// of its own accord.
[[nodiscard]] std::vector<std::string> quiet_gpg(const std::string& binary,
                                                 const std::string& home);
/// The command that encrypts stdin to stdout with a passphrase, without writing a file. `home` is
/// read by nobody else.
[[nodiscard]] std::vector<std::string> gpg_argv(const std::string& binary, const std::string& home);

/// What passes between gpg and us besides the payload: the passphrase in, its status words out.
class GpgSideChannels {
 public:
  /// Without a passphrase. Throws Errc::transform.
  GpgSideChannels();
  /// Throws Errc::transform.
  explicit GpgSideChannels(const config::Secret& passphrase);

  /// The child to start, without a feed.
  [[nodiscard]] ChildOptions child(std::vector<std::string> argv) const;
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
