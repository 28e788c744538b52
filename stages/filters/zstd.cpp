// libzstd splits the stream into jobs by itself and writes one frame, whatever the number of
// workers. What it does not do by itself: state a content checksum (without one, most flipped bits
// decode without a word), and end the frame when a first ZSTD_e_end had not room for all of it.
#include "stages/filters/zstd.hpp"

#include "engine/blocking.hpp"
#include "stages/filters/unzstd.hpp"
#include "stages/registry.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <thread>
#include <utility>

namespace bp::stages {

namespace {

/// One frame under way. The destructor waits for the workers' current jobs.
class Frame {
 public:
  Frame(const ZstdSettings& settings, std::size_t workers) : context_{ZSTD_createCCtx()} {
    if (!context_) throw Error{Errc::transform, "no memory to compress with zstd"};
    set(ZSTD_c_compressionLevel, settings.level);
    set(ZSTD_c_checksumFlag, 1);
    if (settings.long_window) {
      set(ZSTD_c_windowLog, zstd_long_window_log);
      set(ZSTD_c_enableLongDistanceMatching, 1);
    }
    if (workers == 0) return;
    set(ZSTD_c_nbWorkers, static_cast<int>(workers));
    set(ZSTD_c_jobSize, static_cast<int>(zstd_job_bytes(settings)));
    // A job sees half a window of what lies before it. An eighth is the default for low levels, and
    // makes text 1 to 5 % bigger than one thread would make it.
    constexpr int half_a_window = 8;
    set(ZSTD_c_overlapLog, half_a_window);
  }

  /// Consumes some of `in` and fills some of `out`. True: nothing is held back any more.
  bool step(ZSTD_inBuffer& in, Buffer& out, ZSTD_EndDirective what) {
    const std::span<std::byte> room = out.free_space();
    ZSTD_outBuffer output{.dst = room.data(), .size = room.size(), .pos = 0};
    const std::size_t left = check(ZSTD_compressStream2(context_.get(), &output, &in, what));
    out.fill(output.pos);
    return left == 0;
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    check(ZSTD_CCtx_setParameter(context_.get(), parameter, value));
  }
  static std::size_t check(std::size_t result) {
    if (ZSTD_isError(result) != 0) {
      throw Error{Errc::transform,
                  fmt::format("zstd failed to compress: {}", ZSTD_getErrorName(result))};
    }
    return result;
  }
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

class ZstdFilter final : public BlockingFilter {
 public:
  ZstdFilter(ZstdSettings settings, std::size_t max_workers)
      : settings_{settings}, max_workers_{max_workers < 2 ? 0 : max_workers} {}

  [[nodiscard]] MemoryDemand memory_demand(std::size_t chunk_bytes) const override {
    return {.min_chunks = chunks_for(0, chunk_bytes),
            .wanted_chunks = chunks_for(max_workers_, chunk_bytes)};
  }
  void grant(std::size_t chunks) override { granted_chunks_ = chunks; }

 protected:
  void transform_blocking(BlockingInlet& in, BlockingOutlet& out, StageContext& ctx) override {
    const std::size_t workers = workers_within(granted_chunks_, ctx.pool().chunk_bytes());
    ctx.note("workers", std::to_string(workers));
    Frame frame{settings_, workers};
    Buffer buffer = ctx.pool().acquire();
    const auto push_if_full = [&] {
      if (!buffer.full()) return;
      out.push(std::move(buffer).freeze());
      buffer = ctx.pool().acquire();
    };

    while (const std::optional<Chunk> chunk = in.pop()) {
      ZSTD_inBuffer input{.src = chunk->bytes().data(), .size = chunk->bytes().size(), .pos = 0};
      while (input.pos < input.size) {
        frame.step(input, buffer, ZSTD_e_continue);
        push_if_full();
      }
    }
    ZSTD_inBuffer nothing{.src = nullptr, .size = 0, .pos = 0};
    while (!frame.step(nothing, buffer, ZSTD_e_end)) push_if_full();
    if (!buffer.empty()) out.push(std::move(buffer).freeze());
    // The CPU time of libzstd's threads is not reported: it hands out neither them nor a clock.
  }

 private:
  [[nodiscard]] std::size_t chunks_for(std::size_t workers, std::size_t chunk_bytes) const {
    const std::size_t on_the_way = 2;  // one read, one being written
    return on_the_way + (zstd_memory(settings_, workers) + chunk_bytes - 1) / chunk_bytes;
  }

  /// One worker beside a thread of ours that waits for it would cost its buffers and win nothing.
  [[nodiscard]] std::size_t workers_within(std::size_t chunks, std::size_t chunk_bytes) const {
    for (std::size_t workers = max_workers_; workers > 1; --workers) {
      if (chunks_for(workers, chunk_bytes) <= chunks) return workers;
    }
    return 0;
  }

  const ZstdSettings settings_;
  const std::size_t max_workers_;
  std::size_t granted_chunks_ = 0;
};

}  // namespace

std::unique_ptr<Filter> zstd_filter(ZstdSettings settings, std::size_t max_workers) {
  return std::make_unique<ZstdFilter>(settings, max_workers);
}

void register_filter_zstd(Registry& registry) {
  registry.add_filter("zstd", [](config::OptionReader& options) {
    ZstdSettings settings;
    settings.level =
        static_cast<int>(options.integer("level", {.fallback = 3, .min = 1, .max = 19}));
    settings.long_window = options.flag("long", false);
    FilterType type{.extension = ".zst", .compresses = true};
    type.make = [settings](const BuildContext&) {
      return zstd_filter(settings, std::thread::hardware_concurrency());
    };
    type.make_inverse = [settings](const BuildContext&) { return unzstd_filter(settings); };
    return type;
  });
}

}  // namespace bp::stages
