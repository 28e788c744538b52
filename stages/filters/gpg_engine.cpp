#include "stages/filters/gpg_engine.hpp"

#include "engine/error.hpp"
#include "stages/support/child_process.hpp"

#include <fmt/format.h>
#include <gpgme.h>

#include <array>
#include <cstdio>
#include <memory>
#include <utility>

namespace bp::stages {

namespace {

struct ReleaseContext {
  void operator()(gpgme_ctx_t context) const { gpgme_release(context); }
};
using Context = std::unique_ptr<std::remove_pointer_t<gpgme_ctx_t>, ReleaseContext>;

std::string reason(gpgme_error_t error) {
  std::array<char, 256> text{};
  gpgme_strerror_r(error, text.data(), text.size());
  return text.data();
}

Error unusable(const std::string& binary, std::string_view why) {
  return Error{Errc::transform, fmt::format("'{}' is no usable gpg: {}", binary, why),
               "Install GnuPG 2.2 or later (package gnupg), or set `binary`."};
}

void require_2_2(const std::string& binary, const std::string& version) {
  int major = 0;
  int minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) != 2 ||
      std::pair{major, minor} < std::pair{2, 2}) {
    throw unusable(binary, fmt::format("version {} is too old", version));
  }
}

}  // namespace

std::string check_gpg_engine(const std::string& binary, const std::string& home) {
  const std::optional<std::string> program = find_program(binary);
  if (!program) throw unusable(binary, "not found");

  // Initialises the library; must come first, and not from two threads at once.
  [[maybe_unused]] static const char* const gpgme_version = gpgme_check_version(nullptr);
  gpgme_ctx_t created = nullptr;
  if (const gpgme_error_t error = gpgme_new(&created)) throw unusable(binary, reason(error));
  const Context context{created};
  // On the context: the process-wide setting would be shared by every filter.
  if (const gpgme_error_t error = gpgme_ctx_set_engine_info(context.get(), GPGME_PROTOCOL_OpenPGP,
                                                            program->c_str(), home.c_str())) {
    throw unusable(binary, reason(error));
  }
  for (gpgme_engine_info_t info = gpgme_ctx_get_engine_info(context.get()); info != nullptr;
       info = info->next) {
    if (info->protocol != GPGME_PROTOCOL_OpenPGP) continue;
    if (info->version == nullptr) throw unusable(binary, "it does not tell its version");
    std::string version = info->version;
    require_2_2(binary, version);
    return version;
  }
  throw unusable(binary, "gpgme has no OpenPGP engine");
}

}  // namespace bp::stages
