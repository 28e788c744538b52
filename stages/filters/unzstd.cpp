#include "stages/filters/unzstd.hpp"

#include "engine/codec.hpp"

#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace bp::stages {

namespace {

class UnzstdCodec final : public Codec {
 public:
  UnzstdCodec() : context_{ZSTD_createDCtx()} {
    if (!context_) throw Error{Errc::transform, "no memory to decompress with zstd"};
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, zstd_long_window_log);
  }

  Step step(std::span<const std::byte> in, std::span<std::byte> out, Input input) override {
    if (between_frames_ && input == Input::last) {
      if (offset_ == 0) throw cut_short("before its first byte");
      return {.consumed = 0, .produced = 0, .done = true};
    }
    between_frames_ = false;
    ZSTD_inBuffer from{.src = in.data(), .size = in.size(), .pos = 0};
    ZSTD_outBuffer to{.dst = out.data(), .size = out.size(), .pos = 0};
    const std::size_t result = ZSTD_decompressStream(context_.get(), &to, &from);
    offset_ += from.pos;

    if (ZSTD_isError(result) != 0) throw failure(result);
    if (input == Input::last && to.pos == 0 && result != 0) {
      throw cut_short("in the middle of a frame");
    }
    between_frames_ = result == 0;
    return {.consumed = from.pos, .produced = to.pos, .done = false};
  }

 private:
  [[nodiscard]] static Error cut_short(std::string_view where) {
    return {Errc::transform, fmt::format("zstd data ends {}", where),
            "The file was cut short: compare its size with the one that was stored."};
  }
  [[nodiscard]] Error failure(std::size_t result) const {
    switch (ZSTD_getErrorCode(result)) {
      case ZSTD_error_prefix_unknown:
        return {Errc::transform,
                fmt::format("no zstd frame begins where one should, near byte {}", offset_),
                offset_ == 0 ? "" : "Something was appended to the file, if only zeros."};
      case ZSTD_error_checksum_wrong:
        return damage("its content does not match its checksum");
      case ZSTD_error_memory_allocation:
        return {Errc::transform, "no memory to decompress zstd data"};
      case ZSTD_error_frameParameter_windowTooLarge:
        return {Errc::transform, "zstd data needs a window of more than 128 MiB",
                "Decompress it with `zstd -d --long=31`."};
      default:
        return damage(ZSTD_getErrorName(result));
    }
  }
  [[nodiscard]] Error damage(std::string_view reason) const {
    return {Errc::transform, fmt::format("zstd data is damaged near byte {}: {}", offset_, reason)};
  }

  struct Free {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool between_frames_ = true;
  std::uint64_t offset_ = 0;  ///< of input consumed, in all frames
};

}  // namespace

std::unique_ptr<Filter> unzstd_filter(ZstdSettings expected) {
  return std::make_unique<CodecFilter>(std::make_unique<UnzstdCodec>(),
                                       MemoryDemand{.library_bytes = unzstd_memory(expected)});
}

}  // namespace bp::stages
