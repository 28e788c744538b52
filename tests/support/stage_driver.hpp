// tests/support/stage_driver.hpp — leads one sink or source through its life by hand, step by step.
//
// What the runner never does on purpose (abort before prepare, destroy while prepared) can be done
// here.
#pragma once

#include "engine/stage.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/fake_context.hpp"
#include "tests/support/memory_stages.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace bp::test {

/// One sink and the steps of its life. Destroying the driver destroys the sink as it is, and lets
/// its children end.
class SinkDriver {
 public:
  explicit SinkDriver(std::unique_ptr<Sink> sink, std::size_t chunk_bytes = 64 << 10)
      : context{io_, chunk_bytes}, sink_{std::move(sink)} {
    sink_->grant(sink_->memory_demand(chunk_bytes).wanted_chunks);
  }
  SinkDriver(const SinkDriver&) = delete;
  SinkDriver& operator=(const SinkDriver&) = delete;
  ~SinkDriver() {
    sink_.reset();
    io_.restart();
    io_.run();
  }

  void preflight() { run_until_done(io_, sink_->preflight(context)); }

  /// Feeds the whole stream, then its end.
  void prepare(const Bytes& bytes) { feed(bytes, std::nullopt); }
  /// Feeds `bytes`, then voids the stream. Throws what the sink made of it.
  void prepare_voided(const Bytes& bytes) {
    feed(bytes, Error{Errc::peer_failed, "the source failed"});
  }
  Receipt commit() { return run_until_done(io_, sink_->commit(context)); }
  void abort() { run_until_done(io_, sink_->abort(context)); }

 private:
  void feed(const Bytes& bytes, std::optional<Error> failure) {
    Channel channel{io_.get_executor(), 4};
    Outlet outlet{channel, context.pool()};
    Inlet inlet{channel};
    bool produced = false;
    auto note_end = [&produced](std::exception_ptr) { produced = true; };
    asio::co_spawn(io_, produce(outlet, channel, bytes, std::move(failure)), note_end);
    std::exception_ptr thrown;
    try {
      run_until_done(io_, consume(inlet, channel));
    } catch (...) {
      thrown = std::current_exception();
    }
    io_.restart();
    while (!produced && io_.run_one() > 0) continue;  // it refers to what is ours
    if (thrown) std::rethrow_exception(thrown);
  }
  static asio::awaitable<void> produce(Outlet& outlet, Channel& channel, const Bytes& bytes,
                                       std::optional<Error> failure) {
    co_await outlet.write(bytes);
    if (failure) {
      channel.fail(*failure);
      co_return;
    }
    co_await outlet.flush();
    channel.finish();
  }
  asio::awaitable<void> consume(Inlet& inlet, Channel& channel) {
    std::exception_ptr thrown;
    try {
      co_await sink_->prepare(inlet, context);
    } catch (...) {
      thrown = std::current_exception();
    }
    if (!thrown) co_return;
    channel.fail(Error{Errc::peer_failed, "the sink failed"});  // lets go of the producer
    std::rethrow_exception(thrown);
  }

  asio::io_context io_;

 public:
  FakeContext context;

 private:
  std::unique_ptr<Sink> sink_;
};

namespace detail {

inline asio::awaitable<void> produce_all(Source& source, Channel& channel, FakeContext& context) {
  Outlet outlet{channel, context.pool()};
  std::exception_ptr thrown;
  try {
    co_await source.produce(outlet, context);
    co_await outlet.flush();
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) {
    channel.fail(to_error(thrown));
  } else {
    channel.finish();
  }
}

inline asio::awaitable<Bytes> collect(Channel& channel) {
  Bytes bytes;
  while (const std::optional<Chunk> chunk = co_await channel.pop()) {
    const auto part = chunk->bytes();
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  co_return bytes;
}

}  // namespace detail

/// Everything that a source gives. Throws what it throws.
inline Bytes read_all(std::unique_ptr<Source> source, std::size_t chunk_bytes = 64 << 10) {
  asio::io_context io;
  FakeContext context{io, chunk_bytes};
  Channel channel{io.get_executor(), 4};
  auto ignore = [](std::exception_ptr) {};
  asio::co_spawn(io, detail::produce_all(*source, channel, context), ignore);
  return run_on(io, detail::collect(channel));
}

}  // namespace bp::test
