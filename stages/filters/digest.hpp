// stages/filters/digest.hpp — what passed here: SHA-256 and number of bytes, as notes of the
// report.
#pragma once

#include "engine/stage.hpp"

#include <memory>

namespace bp::stages {

/// Hands every chunk on as it is, without a copy. At the end it notes "sha256" (lower-case hex) and
/// "bytes" (decimal). Inserted by assembly; job files do not know it.
[[nodiscard]] std::unique_ptr<Filter> digest_filter();

}  // namespace bp::stages
