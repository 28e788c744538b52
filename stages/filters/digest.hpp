// stages/filters/digest.hpp — what passed here: digest and number of bytes, as notes of the report.
#pragma once

#include "engine/stage.hpp"

#include <cstdint>
#include <memory>

namespace bp::stages {

enum class DigestAlgorithm : std::uint8_t { sha256, sha512 };

/// Hands every chunk on as it is, without a copy. At the end it notes the digest (lower-case hex)
/// under the algorithm's name, "sha256" or "sha512", and "bytes" (decimal). Assembly inserts it
/// with SHA-256; job files know it as the filter "checksum".
[[nodiscard]] std::unique_ptr<Filter> digest_filter(
    DigestAlgorithm algorithm = DigestAlgorithm::sha256);

}  // namespace bp::stages
