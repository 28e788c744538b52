// engine/codec.hpp — the drain loop, written once, so that no codec can get its ending wrong.
#pragma once

#include "engine/blocking.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace bp {

/// A pure byte transformer: no I/O, no threads, no waiting. Testable with two arrays.
class Codec {
 public:
  enum class Input : std::uint8_t { more, last };
  struct Step {
    std::size_t consumed;
    std::size_t produced;
    bool done;  ///< only after Input::last: everything has been written out
  };
  virtual ~Codec() = default;
  /// Consumes some of `in`, produces some of `out`. Input::last comes with an empty `in`, again and
  /// again until done. Throws Errc::transform for data that it cannot accept.
  virtual Step step(std::span<const std::byte> in, std::span<std::byte> out, Input input) = 0;
};

/// Drives a codec from its inlet to its outlet on a thread of its own.
class CodecFilter final : public BlockingFilter {
 public:
  explicit CodecFilter(std::unique_ptr<Codec> codec, MemoryDemand demand = {})
      : codec_{std::move(codec)}, demand_{demand} {}
  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override { return demand_; }

 protected:
  void transform_blocking(BlockingInlet& in, BlockingOutlet& out, StageContext& ctx) override;

 private:
  std::unique_ptr<Codec> codec_;
  MemoryDemand demand_;
};

}  // namespace bp
