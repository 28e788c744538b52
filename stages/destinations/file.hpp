// stages/destinations/file.hpp — objects as files below a folder: a local disk, NFS, anything
// mounted.
#pragma once

#include "stages/store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace bp::stages {

struct FileSettings {
  std::string name;            ///< of the destination, for the journal
  std::filesystem::path root;  ///< absolute; must exist
  bool fsync = true;           ///< false: a power cut may take what was reported as stored
};

/// How an object exists before its commit. Unnamed files vanish with the process, however it ends;
/// file systems that have none (NFS, FAT) get a hidden name, which the journal knows.
enum class Temporary : std::uint8_t { unnamed_if_possible, named };

/// The store of one destination.
[[nodiscard]] std::unique_ptr<Store> file_store(
    FileSettings settings, Temporary temporary = Temporary::unnamed_if_possible);

}  // namespace bp::stages
