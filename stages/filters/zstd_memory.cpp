#include "stages/filters/zstd_memory.hpp"

#define ZSTD_STATIC_LINKING_ONLY  // the estimates
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace bp::stages {

namespace {

struct FreeParameters {
  void operator()(ZSTD_CCtx_params* parameters) const noexcept { ZSTD_freeCCtxParams(parameters); }
};
using Parameters = std::unique_ptr<ZSTD_CCtx_params, FreeParameters>;

Parameters single_threaded(const ZstdSettings& settings) {
  Parameters parameters{ZSTD_createCCtxParams()};
  const auto set = [&](ZSTD_cParameter parameter, int value) {
    ZSTD_CCtxParams_setParameter(parameters.get(), parameter, value);
  };
  set(ZSTD_c_compressionLevel, settings.level);
  set(ZSTD_c_checksumFlag, 1);
  if (!settings.long_window) return parameters;
  set(ZSTD_c_windowLog, zstd_long_window_log);
  set(ZSTD_c_enableLongDistanceMatching, 1);
  // The library's defaults for this window. Unstated they stay zero until compression, and
  // version 1.5.4 divides by them when it estimates.
  set(ZSTD_c_ldmHashLog, zstd_long_window_log - 7);
  set(ZSTD_c_ldmMinMatch, 64);
  set(ZSTD_c_ldmBucketSizeLog, 3);
  set(ZSTD_c_ldmHashRateLog, 7);
  return parameters;
}

}  // namespace

std::size_t zstd_window_bytes(const ZstdSettings& settings) {
  const unsigned log =
      settings.long_window ? zstd_long_window_log : ZSTD_getCParams(settings.level, 0, 0).windowLog;
  return std::size_t{1} << log;
}

std::size_t zstd_job_bytes(const ZstdSettings& settings) {
  // Bounded above, because a run that ends early waits for the jobs under way.
  constexpr std::size_t smallest = 1 << 20;
  constexpr std::size_t largest = 8 << 20;
  return std::clamp(2 * zstd_window_bytes(settings), smallest, largest);
}

std::size_t zstd_memory(const ZstdSettings& settings, std::size_t workers) {
  const Parameters parameters = single_threaded(settings);
  if (workers == 0) return ZSTD_estimateCStreamSize_usingCCtxParams(parameters.get());

  // The library estimates one thread only. With workers it holds a context for each, a ring of
  // input, and the output of the jobs that are done or under way; the numbers are those of its
  // source, and a test compares the sum with what it allocates.
  const std::size_t job = zstd_job_bytes(settings);
  const std::size_t history = settings.long_window ? zstd_window_bytes(settings) : 0;
  const std::size_t ring = std::max(history, workers * job) + 3 * job;
  const std::size_t outputs = (workers + 2) * ZSTD_compressBound(job);
  const std::size_t contexts = workers * ZSTD_estimateCCtxSize_usingCCtxParams(parameters.get());
  return contexts + ring + outputs;
}

std::size_t unzstd_memory(const ZstdSettings& settings) {
  return ZSTD_estimateDStreamSize(zstd_window_bytes(settings));
}

}  // namespace bp::stages
