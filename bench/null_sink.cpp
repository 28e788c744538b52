#include "bench/null_sink.hpp"

namespace bp::bench {

namespace {

class NullSink final : public Sink {
 public:
  asio::awaitable<void> prepare(Inlet& in, StageContext&) override {
    while (const std::optional<Chunk> chunk = co_await in.pop()) bytes_ += chunk->bytes().size();
  }
  asio::awaitable<Receipt> commit(StageContext&) override {
    co_return Receipt{.location = "null", .bytes = bytes_, .etag = ""};
  }
  asio::awaitable<void> abort(StageContext&) override { co_return; }

 private:
  std::uint64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Sink> null_sink() {
  return std::make_unique<NullSink>();
}

}  // namespace bp::bench
