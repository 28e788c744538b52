// tests/support/scripted_stages.hpp — stages that fail, hang or leave where their script says so.
//
// Each kind in two flavours, a coroutine and a thread, because the engine treats them differently
// and the promises do not.
#pragma once

#include "engine/blocking.hpp"
#include "tests/support/memory_stages.hpp"
#include "tests/support/script.hpp"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace bp::test {

/// What a scripted stage was asked to do and what it was given; outlives the run.
struct Witness : Stored {
  int preflights = 0, transfers = 0;
  std::size_t granted = 0;
  std::vector<std::thread::id> threads;  ///< of the calls to a blocking sink, in order
};

/// What all scripted stages share: the script, the gate to hang at, and the parts before the data.
template <class Base>
class Scripted : public Base {
 public:
  Scripted(Script script, Gate& gate, std::shared_ptr<Witness> witness)
      : script_{std::move(script)}, gate_{gate}, witness_{std::move(witness)} {}

  void grant(std::size_t chunks) override {
    witness_->granted = chunks;
    if (script_.grant) throw Error{*script_.grant};
  }
  asio::awaitable<void> preflight(StageContext&) override {
    ++witness_->preflights;
    if (script_.throws_at_once && script_.preflight.act == Step::Act::fails) {
      throw failure_of(script_.preflight);  // before there is a coroutine
    }
    return perform(script_.preflight, gate_);
  }

 protected:
  [[nodiscard]] bool leaves() const { return script_.transfer.act == Step::Act::returns; }

  const Script script_;
  Gate& gate_;
  const std::shared_ptr<Witness> witness_;
};

/// Gives its bytes. One that returns early is believed: that is what returning means.
class ScriptedSource final : public Scripted<Source> {
 public:
  ScriptedSource(Bytes bytes, Script script, Gate& gate, std::shared_ptr<Witness> witness)
      : Scripted{std::move(script), gate, std::move(witness)}, bytes_{std::move(bytes)} {}
  asio::awaitable<void> produce(Outlet& out, StageContext&) override {
    ++witness_->transfers;
    const std::span<const std::byte> all{bytes_};
    Cue cue{script_.transfer};
    const std::size_t first = cue.before(all.size());
    co_await out.write(all.first(first));
    cue.pass(first);
    if (cue.due()) {
      co_await perform(script_.transfer, gate_);
      if (leaves()) co_return;
    }
    co_await out.write(all.subspan(first));
  }

 private:
  const Bytes bytes_;
};

class BlockingScriptedSource final : public Scripted<BlockingSource> {
 public:
  BlockingScriptedSource(Bytes bytes, Script script, Gate& gate, std::shared_ptr<Witness> witness)
      : Scripted{std::move(script), gate, std::move(witness)}, bytes_{std::move(bytes)} {}

 protected:
  void produce_blocking(BlockingOutlet& out, StageContext& ctx) override {
    ++witness_->transfers;
    const std::span<const std::byte> all{bytes_};
    Cue cue{script_.transfer};
    const std::size_t first = cue.before(all.size());
    out.write(all.first(first));
    cue.pass(first);
    if (cue.due()) {
      perform_blocking(script_.transfer, gate_, ctx.stop());
      if (leaves()) return;
    }
    out.write(all.subspan(first));
  }

 private:
  const Bytes bytes_;
};

/// Passes its input on unchanged.
class ScriptedFilter final : public Scripted<Filter> {
 public:
  using Scripted::Scripted;
  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext&) override {
    ++witness_->transfers;
    Cue cue{script_.transfer};
    std::optional<Chunk> chunk;
    for (;;) {
      const auto bytes = chunk ? chunk->bytes() : std::span<const std::byte>{};
      const std::size_t first = cue.before(bytes.size());
      co_await out.write(bytes.first(first));
      cue.pass(first);
      if (cue.due()) {
        co_await perform(script_.transfer, gate_);
        if (leaves()) co_return;
      }
      co_await out.write(bytes.subspan(first));
      chunk = co_await in.pop();
      if (!chunk) co_return;
    }
  }
};

class BlockingScriptedFilter final : public Scripted<BlockingFilter> {
 public:
  using Scripted::Scripted;

 protected:
  void transform_blocking(BlockingInlet& in, BlockingOutlet& out, StageContext& ctx) override {
    ++witness_->transfers;
    Cue cue{script_.transfer};
    std::optional<Chunk> chunk;
    for (;;) {
      const auto bytes = chunk ? chunk->bytes() : std::span<const std::byte>{};
      const std::size_t first = cue.before(bytes.size());
      out.write(bytes.first(first));
      cue.pass(first);
      if (cue.due()) {
        perform_blocking(script_.transfer, gate_, ctx.stop());
        if (leaves()) return;
      }
      out.write(bytes.subspan(first));
      chunk = in.pop();
      if (!chunk) return;
    }
  }
};

inline void keep(Bytes& kept, std::span<const std::byte> bytes) {
  kept.insert(kept.end(), bytes.begin(), bytes.end());
}

/// Keeps what it is given; visible only after commit.
class ScriptedSink final : public Scripted<Sink> {
 public:
  using Scripted::Scripted;
  asio::awaitable<void> prepare(Inlet& in, StageContext&) override {
    ++witness_->transfers;
    if (script_.throws_at_once) throw failure_of(script_.transfer);
    return receive(in);
  }
  asio::awaitable<Receipt> commit(StageContext&) override {
    ++witness_->commits;
    co_await perform(script_.commit, gate_);
    witness_->visible = witness_->prepared;
    co_return Receipt{.location = "memory", .bytes = witness_->visible.size(), .etag = ""};
  }
  asio::awaitable<void> abort(StageContext&) override {
    ++witness_->aborts;
    if (script_.throws_at_once && script_.abort.act == Step::Act::fails) {
      throw failure_of(script_.abort);
    }
    return perform(script_.abort, gate_);
  }

 private:
  asio::awaitable<void> receive(Inlet& in) {
    Cue cue{script_.transfer};
    std::optional<Chunk> chunk;
    for (;;) {
      const auto bytes = chunk ? chunk->bytes() : std::span<const std::byte>{};
      const std::size_t first = cue.before(bytes.size());
      keep(witness_->prepared, bytes.first(first));
      cue.pass(first);
      if (cue.due()) {
        co_await perform(script_.transfer, gate_);
        if (leaves()) co_return;
      }
      keep(witness_->prepared, bytes.subspan(first));
      chunk = co_await in.pop();
      if (!chunk) co_return;
    }
  }
};

class BlockingScriptedSink final : public Scripted<BlockingSink> {
 public:
  using Scripted::Scripted;

 protected:
  void prepare_blocking(BlockingInlet& in, StageContext& ctx) override {
    ++witness_->transfers;
    witness_->threads.push_back(std::this_thread::get_id());
    Cue cue{script_.transfer};
    std::optional<Chunk> chunk;
    for (;;) {
      const auto bytes = chunk ? chunk->bytes() : std::span<const std::byte>{};
      const std::size_t first = cue.before(bytes.size());
      keep(witness_->prepared, bytes.first(first));
      cue.pass(first);
      if (cue.due()) {
        perform_blocking(script_.transfer, gate_, ctx.stop());
        if (leaves()) return;
      }
      keep(witness_->prepared, bytes.subspan(first));
      chunk = in.pop();
      if (!chunk) return;
    }
  }
  Receipt commit_blocking(StageContext& ctx) override {
    ++witness_->commits;
    witness_->threads.push_back(std::this_thread::get_id());
    perform_blocking(script_.commit, gate_, ctx.stop());
    witness_->visible = witness_->prepared;
    return {.location = "memory", .bytes = witness_->visible.size(), .etag = ""};
  }
  void abort_blocking(StageContext& ctx) override {
    ++witness_->aborts;
    witness_->threads.push_back(std::this_thread::get_id());
    perform_blocking(script_.abort, gate_, ctx.stop());
  }
};

}  // namespace bp::test
