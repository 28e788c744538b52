// stages/destinations/object_store/part_plan.hpp — how big each part of a multipart upload is.
//
// A stream of unknown length must fit into max_parts parts, and parts live in memory: small ones
// first, larger ones when the stream turns out long, up to what memory allows (FAULTS A1, A2).
// Where a store wants equal parts (R2), all have one size, chosen from what is expected. Pure
// arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bp::stages {

/// The limits of a kind of store.
struct PartLimits {
  std::uint64_t min_part = std::uint64_t{5} << 20;  ///< of every part but the last
  std::uint64_t max_part = std::uint64_t{5} << 30;
  std::uint64_t max_parts = 10'000;
  std::uint64_t max_object = std::uint64_t{5} << 40;
  bool equal_parts = false;  ///< all but the last must have the same size
};

/// Limits by the name of an endpoint profile: aws, r2, ceph, minio, scaleway, b2, swift, generic.
/// Null for a name that does not exist. Sources in the .cpp.
[[nodiscard]] const PartLimits* part_limits(std::string_view profile);

class PartPlan {
 public:
  struct Settings {
    PartLimits limits;
    std::size_t chunk_bytes = 0;                    ///< parts are whole chunks, but for the last
    std::size_t max_chunks = 0;                     ///< of one part: what memory allows
    std::optional<std::uint64_t> expected_bytes;    ///< of the stream, with a margin already
    std::optional<std::uint64_t> fixed_part_bytes;  ///< `part_size` of the job file
  };
  /// Throws Errc::config when no part of at least min_part fits into memory, or `part_size` breaks
  /// a limit; the message says what to change.
  explicit PartPlan(const Settings& settings);

  /// Bytes of part `number`, which counts from 1. Throws Errc::destination for a part beyond the
  /// last, naming the ceiling and what would raise it. Never decreases.
  [[nodiscard]] std::uint64_t part_bytes(std::uint64_t number) const;
  /// The largest stream that fits: for `plan`, and for the error before part max+1.
  [[nodiscard]] std::uint64_t ceiling() const noexcept;
  [[nodiscard]] std::uint64_t largest_part() const noexcept;

 private:
  Settings settings_;
  std::uint64_t first_ = 0;    ///< bytes of the first parts
  std::uint64_t largest_ = 0;  ///< bytes that no part exceeds
  std::uint64_t ceiling_ = 0;
};

}  // namespace bp::stages
