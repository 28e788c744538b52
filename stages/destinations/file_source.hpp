// stages/destinations/file_source.hpp — reads an object, or a part of one, back from its file.
#pragma once

#include "stages/store.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace bp::stages {

/// Gives exactly the bytes of `range`, and fails when the file has fewer. Throws Errc::destination
/// for a name that cannot be used; the stream fails with Errc::source.
[[nodiscard]] std::unique_ptr<Source> file_source(std::filesystem::path root, std::string object,
                                                  Range range);

}  // namespace bp::stages
