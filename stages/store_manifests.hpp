// stages/store_manifests.hpp — after a source's run: a manifest beside each object that was
// committed.
#pragma once

#include "engine/report.hpp"
#include "stages/assemble.hpp"

#include <boost/asio/awaitable.hpp>

#include <stop_token>
#include <string>
#include <vector>

namespace bp::stages {

/// What the manifests of one source's copies are made from; `graph` describes the run that `report`
/// tells of. All of it must outlive the call.
struct ManifestContext {
  const LoadedJob& job;
  const config::SourceSection& source;
  const RunIdentity& identity;
  const std::vector<SourceGraph::Copy>& copies;
  const std::vector<std::vector<std::string>>& paths;  ///< stages on each copy's path, source first
  const std::string& raw_digest;
  const SourceReport& report;
  const std::string& version;
};

/// Stores one manifest per committed copy, as an object of the same store. Returns a line for each
/// that could not be stored: the copy is good, but nothing can be compared with it. I/O thread.
[[nodiscard]] asio::awaitable<std::vector<std::string>> store_manifests(ManifestContext context);

}  // namespace bp::stages
