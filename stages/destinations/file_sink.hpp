// stages/destinations/file_sink.hpp — writes one object so that it appears whole or not at all.
//
//   prepare  unnamed file (O_TMPFILE) in the target folder, else ".NAME.RUN.part"; write; fsync
//   commit   give it its name, fsync the folder, look at what is there now
//   abort    let go of it; remove the part file and the folders that were made for it
//
// An object that is to be replaced changes places with the new one (RENAME_EXCHANGE) and is removed
// only when that is durable: a run that fails on the way leaves the old one where it was.
#pragma once

#include "stages/destinations/file.hpp"

#include <memory>

namespace bp::stages {

/// The sink of one object. Throws Errc::destination for a name that cannot be used.
[[nodiscard]] std::unique_ptr<Sink> file_sink(const FileSettings& settings, Temporary temporary,
                                              const BuildContext& context);

}  // namespace bp::stages
