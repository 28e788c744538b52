// engine/stage.hpp — what a stage author implements, and what a stage may ask of the engine.
//
// A stage that returns says "that was all, and all is well"; a stage that throws voids its stream.
// Nothing else ends a stream. Stages never see channels: a coroutine stage gets Inlet and Outlet
// and so cannot block the I/O thread, a blocking stage gets their blocking twins and so cannot
// await.
#pragma once

#include "engine/channel.hpp"
#include "engine/chunk.hpp"
#include "engine/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bp {

class Reaper;

/// The reading end of a stage's input. I/O thread.
class Inlet {
 public:
  explicit Inlet(Channel& channel) : channel_{&channel} {}
  /// Waits for a chunk. Empty: the producer said that was all. Throws when the stream was voided.
  [[nodiscard]] asio::awaitable<std::optional<Chunk>> pop() { return channel_->pop(); }

 private:
  friend class BlockingInlet;
  Channel* channel_;
};

/// The writing end of a stage's output. I/O thread.
/// Every chunk but a stream's last is full (push() throws Errc::internal otherwise), so that memory
/// counted in blocks is memory counted in bytes. Stages with odd-sized output use write(), which
/// coalesces; a stage uses one of the two, not both.
class Outlet {
 public:
  Outlet(Channel& channel, BufferPool& pool) : channel_{&channel}, pool_{&pool} {}

  /// Waits for room. Throws when the consumer is gone.
  [[nodiscard]] asio::awaitable<void> push(Chunk chunk);
  /// Copies `bytes` into chunks and pushes the full ones; the rest waits for more. `bytes` must
  /// live until the call is done.
  [[nodiscard]] asio::awaitable<void> write(std::span<const std::byte> bytes);
  /// Pushes what write() still holds. The runner does this for a stage that returned normally.
  [[nodiscard]] asio::awaitable<void> flush();

 private:
  friend class BlockingOutlet;
  void check_previous_was_full(const Chunk& next);

  Channel* channel_;
  BufferPool* pool_;
  std::optional<Buffer> partial_;
  bool short_chunk_pushed_ = false;
};

/// Inlet for a worker thread.
class BlockingInlet {
 public:
  explicit BlockingInlet(Inlet& inlet) : channel_{inlet.channel_} {}
  [[nodiscard]] std::optional<Chunk> pop() { return channel_->pop_blocking(); }

 private:
  Channel* channel_;
};

/// Outlet for a worker thread; the same rules. What write() holds back is pushed by the runner's
/// flush().
class BlockingOutlet {
 public:
  explicit BlockingOutlet(Outlet& outlet) : outlet_{&outlet} {}
  void push(Chunk chunk);
  void write(std::span<const std::byte> bytes);

 private:
  Outlet* outlet_;
};

/// What a stage may ask of the engine during one run. Lives as long as the stage's run.
class StageContext {
 public:
  virtual ~StageContext() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;  ///< as written in the job file
  [[nodiscard]] virtual BufferPool& pool() const noexcept = 0;
  [[nodiscard]] virtual asio::any_io_executor io() const noexcept = 0;
  [[nodiscard]] virtual Reaper& reaper() const noexcept = 0;  ///< I/O thread
  /// Stop is asked for when the run is cancelled or this stage's work has become pointless.
  [[nodiscard]] virtual std::stop_token stop() const noexcept = 0;

  // Any thread:
  virtual void note(std::string key, std::string value) = 0;  ///< ends up in the report: "exit"
  /// Stored, but somebody should look. `lines` are details, e.g. the files that changed while read.
  virtual void warn(std::string text, std::vector<std::string> lines = {}) = 0;
  virtual void add_cpu(
      std::chrono::nanoseconds used) = 0;  ///< of a child or a worker, for the report
};

/// Memory a stage holds at its peak, declared so that the plan can add it up. In chunks of the size
/// given to memory_demand(); scratch memory outside the pool is declared in the same coin.
struct MemoryDemand {
  std::size_t min_chunks = 2;     ///< besides those on its edges: one read, one written
  std::size_t wanted_chunks = 2;  ///< elastic stages (parts in flight, workers) would use so many
  std::size_t library_bytes = 0;  ///< what zstd, TLS, … allocate by themselves, at the minimum
};

class Stage {
 public:
  virtual ~Stage() = default;
  [[nodiscard]] virtual MemoryDemand memory_demand(std::size_t chunk_bytes) const;
  /// The plan's answer to wanted_chunks, before preflight: use this many and no more.
  virtual void grant(std::size_t chunks);
  /// Everything that can be known before hours of dumping: keys, credentials, bucket, existence,
  /// privileges, binaries, secrets. Sinks and filters first, then sources; nothing has started yet,
  /// and whatever it creates it removes again. Waits; throws; I/O thread.
  [[nodiscard]] virtual asio::awaitable<void> preflight(StageContext& ctx);
};

/// Produces a stream. Returning normally *is* the claim "that was all of it, and all is well";
/// throwing voids the stream. A child process returns only after exit status 0.
class Source : public Stage {
 public:
  [[nodiscard]] virtual asio::awaitable<void> produce(Outlet& out, StageContext& ctx) = 0;
};

/// Turns one stream into another. Must read its input to the end, until pop() says so, before
/// returning.
class Filter : public Stage {
 public:
  [[nodiscard]] virtual asio::awaitable<void> transform(Inlet& in, Outlet& out,
                                                        StageContext& ctx) = 0;
};

/// What a committed sink can prove.
struct Receipt {
  std::string location;  ///< "s3://bucket/key", no secrets
  std::uint64_t bytes = 0;
  std::string etag;
};

/// Stores a stream in two steps, so that a job becomes visible everywhere or (almost) nowhere.
///   prepare()  reads until pop() tells the end; returns when every byte is durable but still
///   invisible commit()   makes it visible: complete the multipart upload, rename the temporary
///   name abort()    removes every trace; any time before commit(), idempotent, may follow a failed
///              prepare() or none at all; runs uncancelled under its own deadline
/// Once the transfer has begun the runner calls exactly one of commit() and abort(); after a failed
/// commit() it does not abort: what the store then holds is for the journal and the next sweep. No
/// destructor may do either.
class Sink : public Stage {
 public:
  [[nodiscard]] virtual asio::awaitable<void> prepare(Inlet& in, StageContext& ctx) = 0;
  [[nodiscard]] virtual asio::awaitable<Receipt> commit(StageContext& ctx) = 0;
  [[nodiscard]] virtual asio::awaitable<void> abort(StageContext& ctx) = 0;
};

}  // namespace bp
