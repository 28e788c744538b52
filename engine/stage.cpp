#include "engine/stage.hpp"

#include <utility>

namespace bp {

MemoryDemand Stage::memory_demand(std::size_t) const {
  return {};
}
void Stage::grant(std::size_t) {}
asio::awaitable<void> Stage::preflight(StageContext&) {
  co_return;
}

void Outlet::check_previous_was_full(const Chunk& next) {
  if (short_chunk_pushed_) {
    throw Error{Errc::internal, "a stage pushed a chunk after one that was not full"};
  }
  short_chunk_pushed_ = !next.fills_its_block();
}

asio::awaitable<void> Outlet::push(Chunk chunk) {
  check_previous_was_full(chunk);
  return channel_->push(std::move(chunk));
}

asio::awaitable<void> Outlet::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (!partial_) partial_ = pool_->acquire();
    bytes = bytes.subspan(partial_->append(bytes));
    if (!partial_->full()) continue;
    Chunk chunk = std::move(*partial_).freeze();
    partial_.reset();
    co_await push(std::move(chunk));
  }
}

asio::awaitable<void> Outlet::flush() {
  if (!partial_) co_return;
  Chunk chunk = std::move(*partial_).freeze();
  partial_.reset();
  co_await push(std::move(chunk));
}

void BlockingOutlet::push(Chunk chunk) {
  outlet_->check_previous_was_full(chunk);
  outlet_->channel_->push_blocking(std::move(chunk));
}

void BlockingOutlet::write(std::span<const std::byte> bytes) {
  std::optional<Buffer>& partial = outlet_->partial_;
  while (!bytes.empty()) {
    if (!partial) partial = outlet_->pool_->acquire();
    bytes = bytes.subspan(partial->append(bytes));
    if (!partial->full()) continue;
    Chunk chunk = std::move(*partial).freeze();
    partial.reset();
    push(std::move(chunk));
  }
}

}  // namespace bp
