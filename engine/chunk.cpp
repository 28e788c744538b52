#include "engine/chunk.hpp"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace bp {

namespace detail {

/// Header of a pool block; the payload lies in its own page-aligned allocation, so that reads and
/// writes of whole chunks never straddle a header.
struct Block {
  Block(BufferPool* owner, std::size_t bytes) : pool{owner}, capacity{bytes} {}

  BufferPool* pool;
  std::byte* data = nullptr;
  std::size_t capacity;
  std::size_t filled = 0;
  std::atomic<std::uint32_t> owners{1};
};

}  // namespace detail

using detail::Block;

namespace {

constexpr std::align_val_t page{4096};

Block* new_block(BufferPool* pool, std::size_t bytes) {
  auto header = std::make_unique<Block>(pool, bytes);
  header->data = static_cast<std::byte*>(::operator new(bytes, page));
  return header.release();
}

void free_block(Block* block) noexcept {
  ::operator delete(block->data, page);
  delete block;
}

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}

Buffer::~Buffer() {
  if (block_ != nullptr) block_->pool->give_back(block_);
}

std::span<std::byte> Buffer::free_space() noexcept {
  return {block_->data + block_->filled, block_->capacity - block_->filled};
}

void Buffer::fill(std::size_t n) noexcept {
  assert(n <= block_->capacity - block_->filled);
  block_->filled += n;
}

std::size_t Buffer::append(std::span<const std::byte> bytes) noexcept {
  const std::span<std::byte> space = free_space();
  const std::size_t n = std::min(space.size(), bytes.size());
  if (n != 0) std::memcpy(space.data(), bytes.data(), n);
  fill(n);
  return n;
}

std::size_t Buffer::size() const noexcept {
  return block_->filled;
}
bool Buffer::empty() const noexcept {
  return block_->filled == 0;
}
bool Buffer::full() const noexcept {
  return block_->filled == block_->capacity;
}

Chunk Buffer::freeze() && {
  assert(!empty());
  return Chunk{std::exchange(block_, nullptr)};
}

Chunk::Chunk(const Chunk& other) noexcept : block_{other.block_} {
  if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
}

Chunk::Chunk(Chunk&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}

Chunk& Chunk::operator=(Chunk other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}

Chunk::~Chunk() {
  if (block_ == nullptr) return;
  // Release our reads, acquire everybody else's, before the block is written again.
  if (block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) block_->pool->give_back(block_);
}

std::span<const std::byte> Chunk::bytes() const noexcept {
  return {block_->data, block_->filled};
}
bool Chunk::fills_its_block() const noexcept {
  return block_->filled == block_->capacity;
}

BufferPool::BufferPool(std::size_t chunk_bytes, std::size_t chunk_limit)
    : chunk_bytes_{chunk_bytes}, chunk_limit_{chunk_limit} {
  spare_.reserve(chunk_limit);  // give_back() must not need memory
}

BufferPool::~BufferPool() {
  assert(in_use_ == 0);
  for (Block* block : spare_) free_block(block);
}

Buffer BufferPool::acquire() {
  {
    const std::lock_guard lock{mutex_};
    ++in_use_;
    peak_ = std::max(peak_, in_use_);
    if (in_use_ > chunk_limit_) ++overruns_;
    if (!spare_.empty()) {
      Block* block = spare_.back();
      spare_.pop_back();
      block->filled = 0;
      block->owners.store(1, std::memory_order_relaxed);
      return Buffer{block};
    }
  }
  try {
    return Buffer{new_block(this, chunk_bytes_)};
  } catch (const std::bad_alloc&) {
    const std::lock_guard lock{mutex_};
    --in_use_;
    throw;
  }
}

void BufferPool::give_back(Block* block) noexcept {
  {
    const std::lock_guard lock{mutex_};
    --in_use_;
    if (spare_.size() < chunk_limit_) {
      spare_.push_back(block);
      return;
    }
  }
  free_block(block);
}

std::size_t BufferPool::in_use() const noexcept {
  const std::lock_guard lock{mutex_};
  return in_use_;
}
std::size_t BufferPool::peak() const noexcept {
  const std::lock_guard lock{mutex_};
  return peak_;
}
std::size_t BufferPool::overruns() const noexcept {
  const std::lock_guard lock{mutex_};
  return overruns_;
}

}  // namespace bp
