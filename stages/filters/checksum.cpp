// stages/filters/checksum.cpp — the digest of what passes here, asked for in a job file.
#include "stages/filters/digest.hpp"
#include "stages/registry.hpp"

namespace bp::stages {

void register_filter_checksum(Registry& registry) {
  registry.add_filter("checksum", [](config::OptionReader& options) {
    const bool sha512 = options.choice("algorithm", "sha256", {"sha256", "sha512"}) == "sha512";
    const auto algorithm = sha512 ? DigestAlgorithm::sha512 : DigestAlgorithm::sha256;
    FilterType type;
    type.make = [algorithm](const BuildContext&) { return digest_filter(algorithm); };
    type.make_inverse = type.make;  // data that was not changed needs no changing back
    return type;
  });
}

}  // namespace bp::stages
