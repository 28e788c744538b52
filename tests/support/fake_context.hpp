// tests/support/fake_context.hpp — a stage's context without a run around it.
#pragma once

#include "engine/reaper.hpp"
#include "engine/stage.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace bp::test {

/// Remembers what the stage told. Must outlive what runs on `io`.
class FakeContext final : public StageContext {
 public:
  struct Warned {
    std::string text;
    std::vector<std::string> lines;
  };

  explicit FakeContext(asio::io_context& io, std::size_t chunk_bytes = std::size_t{64} << 10,
                       std::chrono::milliseconds grace = std::chrono::milliseconds{50})
      : io_{io}, pool_{chunk_bytes, 64}, reaper_{io.get_executor(), grace} {}

  [[nodiscard]] std::string_view name() const noexcept override { return "stage"; }
  [[nodiscard]] BufferPool& pool() const noexcept override { return pool_; }
  [[nodiscard]] asio::any_io_executor io() const noexcept override { return io_.get_executor(); }
  [[nodiscard]] Reaper& reaper() const noexcept override { return reaper_; }
  [[nodiscard]] std::stop_token stop() const noexcept override { return stop_source.get_token(); }
  void note(std::string key, std::string value) override {
    const std::lock_guard lock{mutex_};
    notes.insert_or_assign(std::move(key), std::move(value));
  }
  void warn(std::string text, std::vector<std::string> lines = {}) override {
    const std::lock_guard lock{mutex_};
    warnings.push_back({std::move(text), std::move(lines)});
  }
  void add_cpu(std::chrono::nanoseconds used) override {
    const std::lock_guard lock{mutex_};
    cpu += used;
    ++children_collected;
  }

  std::map<std::string, std::string> notes;
  std::vector<Warned> warnings;
  std::chrono::nanoseconds cpu{};
  int children_collected = 0;
  std::stop_source stop_source;

 private:
  asio::io_context& io_;
  mutable BufferPool pool_;
  mutable Reaper reaper_;
  std::mutex mutex_;
};

}  // namespace bp::test
