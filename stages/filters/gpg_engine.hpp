// stages/filters/gpg_engine.hpp — which gpg is there, and is it good enough? Asked through gpgme.
#pragma once

#include <string>

namespace bp::stages {

/// Checks that `binary` ("gpg", or a path) is a working OpenPGP engine, 2.2 or later, and returns
/// its version. `home` is what gpg is told to use as its home; nothing is written there. Throws
/// Errc::transform. Runs helper programs and blocks: not for the I/O thread.
[[nodiscard]] std::string check_gpg_engine(const std::string& binary, const std::string& home);

}  // namespace bp::stages
