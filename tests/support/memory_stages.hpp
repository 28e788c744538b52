// tests/support/memory_stages.hpp — a source that gives bytes and a sink that keeps them.
#pragma once

#include "engine/stage.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace bp::test {

using Bytes = std::vector<std::byte>;

/// `length` bytes in which every position differs from its neighbours, so that a lost or swapped
/// chunk shows.
inline Bytes pattern(std::size_t length, std::uint64_t seed = 1) {
  Bytes bytes(length);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (std::byte& byte : bytes) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    byte = static_cast<std::byte>(state);
  }
  return bytes;
}

inline Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

/// Gives exactly these bytes.
class MemorySource final : public Source {
 public:
  explicit MemorySource(Bytes bytes) : bytes_{std::move(bytes)} {}
  asio::awaitable<void> produce(Outlet& out, StageContext&) override { co_await out.write(bytes_); }

 private:
  Bytes bytes_;
};

/// What a MemorySink was given and how it was treated; outlives the run.
struct Stored {
  Bytes prepared;  ///< invisible
  Bytes visible;   ///< after commit
  int commits = 0, aborts = 0;
};

/// Keeps what it is given; visible only after commit.
class MemorySink final : public Sink {
 public:
  explicit MemorySink(std::shared_ptr<Stored> stored) : stored_{std::move(stored)} {}
  asio::awaitable<void> prepare(Inlet& in, StageContext&) override {
    while (const std::optional<Chunk> chunk = co_await in.pop()) {
      const auto bytes = chunk->bytes();
      stored_->prepared.insert(stored_->prepared.end(), bytes.begin(), bytes.end());
    }
  }
  asio::awaitable<Receipt> commit(StageContext&) override {
    ++stored_->commits;
    stored_->visible = stored_->prepared;
    co_return Receipt{.location = "memory", .bytes = stored_->visible.size(), .etag = ""};
  }
  asio::awaitable<void> abort(StageContext&) override {
    ++stored_->aborts;
    stored_->prepared.clear();
    co_return;
  }

 private:
  std::shared_ptr<Stored> stored_;
};

}  // namespace bp::test
