// engine/chunk.hpp — memory that travels. Buffer: mine to write. Chunk: everyone's to read.
//
// All payload of a run lives in blocks of one size from one BufferPool. A block is filled by
// exactly one owner (Buffer), then frozen and read by any number (Chunk). Acquiring never waits:
// the memory plan has already counted every block that the graph can hold, so running out is a bug
// of the plan, not of the data.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace bp {

class BufferPool;
class Chunk;

namespace detail {
struct Block;
}

/// A block of pool memory with one owner, being filled. Give it away by freezing it.
class Buffer {
 public:
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();  ///< returns an unfrozen block to the pool

  [[nodiscard]] std::span<std::byte> free_space() noexcept;
  void fill(std::size_t n) noexcept;  ///< n bytes of free_space() now hold data
  /// Copies as much of `bytes` as fits and returns how many bytes that was.
  std::size_t append(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] bool full() const noexcept;
  /// The filled part as an immutable chunk. Precondition: not empty.
  [[nodiscard]] Chunk freeze() &&;

 private:
  friend class BufferPool;
  explicit Buffer(detail::Block* block) noexcept : block_{block} {}
  detail::Block* block_;
};

/// A filled, immutable, reference-counted block: a tee shares it instead of copying it.
/// Never empty. The last copy to go returns the block to its pool, from any thread.
class Chunk {
 public:
  Chunk(const Chunk& other) noexcept;
  Chunk(Chunk&& other) noexcept;
  Chunk& operator=(Chunk other) noexcept;
  ~Chunk();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept;
  /// True when the block has no free space left: what every chunk but a stream's last must be.
  [[nodiscard]] bool fills_its_block() const noexcept;

 private:
  friend class Buffer;
  explicit Chunk(detail::Block* block) noexcept : block_{block} {}
  detail::Block* block_;
};

/// All payload memory of a run: `chunk_limit` blocks of `chunk_bytes`, allocated on first use and
/// kept for reuse until the pool goes. Outlives every Buffer and Chunk taken from it. acquire()
/// never waits. Waiting happens on edges only, which is why the engine cannot deadlock. Beyond the
/// limit it allocates all the same and counts it: the runner turns the count into a warning. A good
/// backup is never voided by our own arithmetic.
class BufferPool {
 public:
  BufferPool(std::size_t chunk_bytes, std::size_t chunk_limit);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  /// An empty buffer. Throws std::bad_alloc; any thread.
  [[nodiscard]] Buffer acquire();
  [[nodiscard]] std::size_t chunk_bytes() const noexcept { return chunk_bytes_; }
  [[nodiscard]] std::size_t in_use() const noexcept;  ///< 0 after every run; tests assert it
  [[nodiscard]] std::size_t peak() const noexcept;    ///< most blocks in use at one time
  [[nodiscard]] std::size_t overruns()
      const noexcept;  ///< acquisitions beyond the limit: plan bugs

 private:
  friend class Buffer;
  friend class Chunk;
  void give_back(detail::Block* block) noexcept;

  const std::size_t chunk_bytes_;
  const std::size_t chunk_limit_;
  mutable std::mutex mutex_;
  std::vector<detail::Block*> spare_;
  std::size_t in_use_ = 0, peak_ = 0, overruns_ = 0;
};

}  // namespace bp
