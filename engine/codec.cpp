#include "engine/codec.hpp"

#include <optional>
#include <utility>

namespace bp {

void CodecFilter::transform_blocking(BlockingInlet& in, BlockingOutlet& out, StageContext& ctx) {
  Buffer buffer = ctx.pool().acquire();
  const auto drive = [&](std::span<const std::byte> bytes, Codec::Input input) {
    for (bool done = false; !bytes.empty() || (input == Codec::Input::last && !done);) {
      const Codec::Step step = codec_->step(bytes, buffer.free_space(), input);
      if (step.consumed > bytes.size() || step.produced > buffer.free_space().size()) {
        throw Error{Errc::internal, "codec reported more than it was given"};
      }
      done = step.done && input == Codec::Input::last;
      if (step.consumed == 0 && step.produced == 0 && !done) {
        throw Error{Errc::internal, "codec made no progress"};
      }
      bytes = bytes.subspan(step.consumed);
      buffer.fill(step.produced);
      if (buffer.full()) {
        out.push(std::move(buffer).freeze());
        buffer = ctx.pool().acquire();
      }
    }
  };
  while (const std::optional<Chunk> chunk = in.pop()) drive(chunk->bytes(), Codec::Input::more);
  drive({}, Codec::Input::last);
  if (!buffer.empty()) out.push(std::move(buffer).freeze());  // returning is the end of stream
}

}  // namespace bp
