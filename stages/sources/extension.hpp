// stages/sources/extension.hpp — the `extension` option of sources that cannot know what they
// carry.
#pragma once

#include "config/options.hpp"

#include <string>

namespace bp::stages {

/// ".sql", ".img", ".tar.xz"; empty when the key is absent. Records a problem for anything that is
/// not letters, digits and dots; a missing leading dot is added.
[[nodiscard]] std::string read_extension(config::OptionReader& options);

}  // namespace bp::stages
