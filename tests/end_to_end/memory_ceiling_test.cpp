// A stream of any length takes the memory of the plan, also when a destination stands still.
#include "tests/support/job_fixture.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace bp {
namespace {

constexpr std::size_t kibibyte = 1024, mebibyte = 1024 * kibibyte;
constexpr std::uint64_t length = 2048 * std::uint64_t{mebibyte};

std::size_t resident_bytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    std::size_t kib = 0;
    status >> kib;
    return kib * kibibyte;
  }
  throw std::runtime_error{"/proc/self/status has no VmRSS"};
}

/// Chunks whose every page was written, numbered, from a thread of its own.
class Flood final : public BlockingSource {
 protected:
  void produce_blocking(BlockingOutlet& out, StageContext& ctx) override {
    for (std::uint64_t sent = 0; sent < length; sent += ctx.pool().chunk_bytes()) {
      Buffer buffer = ctx.pool().acquire();
      const auto space = buffer.free_space();
      for (std::size_t i = 0; i < space.size(); i += 4096)
        space[i] = static_cast<std::byte>(sent >> 18U);
      buffer.fill(space.size());
      out.push(std::move(buffer).freeze());
    }
  }
};

struct Count {
  std::uint64_t bytes = 0, out_of_order = 0;
};

/// Stands still until the gate opens, then takes what comes and keeps nothing.
class Drain final : public Sink {
 public:
  Drain(test::Gate& gate, Count& count) : gate_{gate}, count_{count} {}
  asio::awaitable<void> prepare(Inlet& in, StageContext&) override {
    co_await gate_.wait();
    while (const std::optional<Chunk> chunk = co_await in.pop()) {
      const auto expected = static_cast<std::byte>(count_.bytes >> 18U);
      if (chunk->bytes()[0] != expected) ++count_.out_of_order;
      count_.bytes += chunk->bytes().size();
    }
  }
  asio::awaitable<Receipt> commit(StageContext&) override { co_return Receipt{}; }
  asio::awaitable<void> abort(StageContext&) override { co_return; }

 private:
  test::Gate& gate_;
  Count& count_;
};

TEST(MemoryCeiling, HoldsForTwoGibibytesAndAStalledDestination) {
  test::JobFixture job;
  job.chunk_bytes = 256 * kibibyte;
  job.memory_limit = 16 * mebibyte;
  Count one, two;
  const auto from = job.builder.add("flood", std::make_unique<Flood>());
  const auto add = [&](std::string name, Count& count) {
    const auto to = job.builder.add(std::move(name), std::make_unique<Drain>(job.gate, count));
    job.builder.connect(from, to, {.slots = 16});
  };
  add("one", one);
  add("two", two);

  const std::size_t before = resident_bytes();
  std::size_t most = before;
  int looks = 0;
  job.options.observe_every = std::chrono::milliseconds{10};
  job.options.observe = [&](const Progress&) {
    most = std::max(most, resident_bytes());
    if (++looks == 10) job.gate.open();
  };
  const SourceReport report = job.run();
  most = std::max(most, resident_bytes());

  EXPECT_EQ(report.outcome, Outcome::stored);
  EXPECT_EQ(one.bytes, length);
  EXPECT_EQ(two.bytes, length);
  EXPECT_EQ(one.out_of_order + two.out_of_order, 0U);
  EXPECT_LE(report.peak_chunks * job.chunk_bytes, job.memory_limit);
  // Besides the plan: threads' stacks, the heap's own overhead, and this test.
  EXPECT_LT(most - before, job.memory_limit + 4 * mebibyte);
}

}  // namespace
}  // namespace bp
