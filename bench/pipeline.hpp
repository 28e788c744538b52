// bench/pipeline.hpp — from words of a command line to one measured run: source → stages → sink.
#pragma once

#include "bench/measure.hpp"
#include "stages/registry.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace bp::bench {

struct PipelineOptions {
  std::string source = "synthetic:3";  ///< synthetic:RATIO | synthetic:repeat | folder:PATH | FILE
  std::uint64_t bytes = std::uint64_t{1} << 30U;  ///< of a synthetic source
  std::string stages{};                           ///< see stage_syntax.hpp
  std::string sink = "null";                      ///< null | file:PATH; the file is replaced
  std::size_t memory_bytes = std::size_t{128} << 20U;
  std::size_t chunk_bytes = std::size_t{256} << 10U;
  std::size_t slots = 8;  ///< of every edge
  bool digests = false;   ///< SHA-256 behind the source and before the sink, as jobs have them
  bool fsync = true;      ///< of a file sink
};

/// Builds the graph, runs it on an io_context of its own and measures. Throws Errc::config for
/// options that cannot be, and the cause of a run that failed.
[[nodiscard]] Measurement run_pipeline(const PipelineOptions& options,
                                       const stages::Registry& registry);

}  // namespace bp::bench
