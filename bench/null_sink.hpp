// bench/null_sink.hpp — a destination that takes everything and keeps nothing but its length.
#pragma once

#include "engine/stage.hpp"

#include <memory>

namespace bp::bench {

/// A coroutine sink; its receipt holds the number of bytes.
[[nodiscard]] std::unique_ptr<Sink> null_sink();

}  // namespace bp::bench
