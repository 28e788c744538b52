// stages/destinations/command.hpp — a destination that is a program of the user's.
#pragma once

#include "stages/destinations/command_sink.hpp"
#include "stages/store.hpp"

#include <memory>

namespace bp::stages {

/// It stores and does nothing else: what is there cannot be listed, read or removed through it, and
/// those calls throw Errc::destination.
[[nodiscard]] std::unique_ptr<Store> command_store(CommandSettings settings);

}  // namespace bp::stages
