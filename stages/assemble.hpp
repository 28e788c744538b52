// stages/assemble.hpp — from a loaded job to the graph of one source.
//
// Destinations share what their routes have in common: one dump and one compression serve all of
// them, and a tee stands where they part. Three kinds of stages are not written in job files: a
// digest behind the source (the raw stream) and one before the destinations of each route (the
// stored stream); manifests are made from them. And a rate limit before each destination that has a
// bandwidth, its own or the job's.
#pragma once

#include "engine/graph.hpp"
#include "stages/filters/rate_limit.hpp"
#include "stages/loaded_job.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bp::stages {

/// What is fixed once, when a run starts.
struct RunIdentity {
  std::string run_id;      ///< "20261123T020000Z-1f3a9c"
  std::string date, time;  ///< in the job's time zone
  std::chrono::system_clock::time_point began;
};

/// A new identity for a run that starts now.
[[nodiscard]] RunIdentity new_identity(const config::JobSettings& job,
                                       std::chrono::system_clock::time_point now);

/// Where a source's copy for one destination will be.
struct ObjectName {
  std::string destination;
  std::string name;
  std::string extension;  ///< without the leading dot
};

/// The names that a run gives to a source's objects, before anybody asked whether they exist.
[[nodiscard]] std::vector<ObjectName> object_names(const LoadedJob& job,
                                                   const config::SourceSection& source,
                                                   const RunIdentity& identity);

/// The graph of one source, and where to find in its report what a manifest needs.
struct SourceGraph {
  struct Copy {
    std::string destination, object;
    std::vector<std::string> filters;
    std::string stored_digest;  ///< a stage's name
  };
  Graph graph;
  std::string raw_digest;  ///< a stage's name
  std::vector<Copy> copies;
};

struct AssembleOptions {
  Journal* journal = nullptr;
  std::optional<std::uint64_t> expected_bytes;
  bool replace_existing = false;
  SharedBucket bandwidth{};  ///< the job's, shared by its sources; null: a job without a limit
};

/// A bucket for all sources of a run; null for a job without a limit.
[[nodiscard]] SharedBucket job_bandwidth(const config::JobSettings& job);

[[nodiscard]] SourceGraph assemble(const LoadedJob& job, const config::SourceSection& source,
                                   const RunIdentity& identity,
                                   const std::vector<ObjectName>& objects,
                                   const AssembleOptions& options);

}  // namespace bp::stages
