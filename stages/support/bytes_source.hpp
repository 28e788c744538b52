// stages/support/bytes_source.hpp — a short text as a stream, to be stored like any other.
#pragma once

#include "engine/stage.hpp"

#include <memory>
#include <string>

namespace bp::stages {

/// Gives exactly `text`; for manifests and probe objects.
[[nodiscard]] std::unique_ptr<Source> bytes_source(std::string text);

}  // namespace bp::stages
