// stages/store/manifest.hpp — what is known about a stored object, as JSON beside it.
//
// A manifest is data: it says what to expect, never what to run. Restoring takes its filters from
// the job file; a manifest lets `verify` compare sizes and digests, and tells a person without the
// job file which filters to undo. docs/manifest.schema.json describes format 1. Holds no secrets.
#pragma once

#include "engine/report.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

/// A filter between source and object, in the order of the stream.
struct ManifestFilter {
  std::string name;       ///< as written in the job file
  std::string type;       ///< "gzip"
  std::string extension;  ///< ".gz"
};

/// Length and SHA-256 of a stream.
struct ManifestDigest {
  std::uint64_t bytes = 0;
  std::optional<std::string> sha256;  ///< lower-case hex
};

/// How a stage's child ended.
struct ManifestExit {
  std::string stage;
  int status = 0;
};

/// Everything that goes into a manifest, as plain values; the caller leaves out what must not be
/// told.
struct ManifestInput {
  std::string run_id, job, hostname, tool_version;
  std::string source_id, source_name, source_type;
  std::vector<std::string> source_argv;   ///< manifest_detail = "full" only, secrets masked
  std::vector<std::string> source_paths;  ///< manifest_detail = "full" only
  std::string destination, object;
  std::chrono::system_clock::time_point began, ended;
  ManifestDigest raw;     ///< as the source produced it
  ManifestDigest stored;  ///< as the destination has it
  std::vector<ManifestFilter> filters;
  std::vector<StageReport> stages;  ///< on the object's path
  std::vector<ManifestExit> exits;
  std::vector<Warning> warnings;
};

/// The manifest as JSON text. The same input gives the same bytes; text that is not UTF-8 (file
/// names in warnings) is replaced.
[[nodiscard]] std::string manifest_json(const ManifestInput& input);

/// "h/2026-11-23/etc.tar.gz.manifest.json".
[[nodiscard]] std::string manifest_name(std::string_view object);

/// True for names that manifest_name() makes.
[[nodiscard]] bool is_manifest_name(std::string_view object) noexcept;

}  // namespace bp::stages
