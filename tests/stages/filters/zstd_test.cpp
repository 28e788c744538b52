#include "stages/filters/zstd.hpp"

#include "config/document.hpp"
#include "stages/filters/unzstd.hpp"
#include "stages/registry.hpp"
#include "tests/support/command.hpp"
#include "tests/support/filter_run.hpp"
#include "tests/support/threads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <malloc.h>

#include <algorithm>
#include <atomic>

namespace bp::stages {
namespace {

using test::Bytes;
using test::run_filter;
using ::testing::EndsWith;
using ::testing::IsEmpty;

constexpr std::size_t mib = 1 << 20;
constexpr std::size_t chunk_bytes = 64 << 10;

/// Lines that look like a dump: compressible, no two alike.
Bytes text(std::size_t length) {
  Bytes bytes;
  bytes.reserve(length + 64);
  for (int row = 0; bytes.size() < length; ++row) {
    const Bytes line = test::bytes_of("INSERT INTO t VALUES (" + std::to_string(row) + ",'" +
                                      std::to_string(row * 7919 % 10'007) + "');\n");
    bytes.insert(bytes.end(), line.begin(), line.end());
  }
  bytes.resize(length);
  return bytes;
}

Bytes compressed(const Bytes& input, ZstdSettings settings = {}, std::size_t workers = 2) {
  auto run = run_filter(zstd_filter(settings, workers), input, chunk_bytes);
  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_THAT(run.report.warnings, IsEmpty());
  EXPECT_EQ(run.report.find_stage("filter")->notes.at("workers"),
            std::to_string(workers < 2 ? 0 : workers));
  return std::move(run.output);
}

/// One frame with a checksum, which the real zstd and ours turn into `input` again.
void expect_opens(const Bytes& frame, const Bytes& input) {
  ASSERT_GE(frame.size(), 9U);
  EXPECT_EQ(frame[4] & std::byte{0x04}, std::byte{0x04}) << "the frame states no checksum";
  EXPECT_EQ(ZSTD_findFrameCompressedSize(frame.data(), frame.size()), frame.size());
  EXPECT_EQ(test::pipe_through("zstd -t", frame).status, 0);
  const auto theirs = test::pipe_through("zstd -d", frame);
  EXPECT_EQ(theirs.status, 0);
  EXPECT_TRUE(theirs.output == input);
  const auto ours = run_filter(unzstd_filter({}), frame, chunk_bytes);
  EXPECT_EQ(ours.report.outcome, Outcome::stored);
  EXPECT_TRUE(ours.output == input);
}

class ZstdOfLength : public testing::TestWithParam<std::size_t> {};

TEST_P(ZstdOfLength, IsOneFrameWithAChecksumThatOpens) {
  for (const Bytes& input : {test::pattern(GetParam()), text(GetParam())}) {
    for (const std::size_t workers : {0U, 1U, 2U, 3U}) {
      expect_opens(compressed(input, {}, workers), input);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AroundChunksAndJobs, ZstdOfLength,
                         testing::Values(0, 1, chunk_bytes - 1, chunk_bytes, chunk_bytes + 1,
                                         4 * mib, 9 * mib + 12'345));

class ZstdAtLevel : public testing::TestWithParam<int> {};

TEST_P(ZstdAtLevel, OpensAndIsTheInputAgain) {
  const Bytes input = text(200'000);
  for (const std::size_t workers : {0U, 2U}) {
    const Bytes frame = compressed(input, {.level = GetParam()}, workers);
    EXPECT_LT(frame.size(), input.size() / 3);
    expect_opens(frame, input);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ZstdAtLevel, testing::Range(1, 20));

TEST(Zstd, FindsWithTheLongWindowWhatLiesFarBack) {
  const Bytes once = test::pattern(12 * mib);
  Bytes twice = once;
  twice.insert(twice.end(), once.begin(), once.end());

  for (const std::size_t workers : {0U, 2U}) {
    const Bytes frame = compressed(twice, {.level = 1, .long_window = true}, workers);
    EXPECT_LT(frame.size(), once.size() + mib);
    expect_opens(frame, twice);
  }
  EXPECT_GT(compressed(twice, {.level = 1}).size(), twice.size() - mib);
}

TEST(Zstd, IsTheSameFromAnyNumberOfWorkersAndAnySizeOfChunks) {
  const Bytes input = text(9 * mib);
  const Bytes from_two = compressed(input, {}, 2);
  EXPECT_TRUE(compressed(input, {}, 4) == from_two);
  EXPECT_TRUE(run_filter(zstd_filter({}, 2), input, 10'007).output == from_two);
}

/// Remembers how many threads and how much memory the process had while bytes arrived.
class WatchingSink final : public Sink {
 public:
  struct Seen {
    std::atomic<std::ptrdiff_t> threads{0};
    std::atomic<std::size_t> memory{0};
  };
  explicit WatchingSink(Seen& seen) : seen_{seen} {}

  static std::size_t memory_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  }
  asio::awaitable<void> prepare(Inlet& in, StageContext&) override {
    while (const std::optional<Chunk> chunk = co_await in.pop()) {
      seen_.threads = std::max(seen_.threads.load(), test::thread_count());
      seen_.memory = std::max(seen_.memory.load(), memory_in_use());
    }
  }
  asio::awaitable<Receipt> commit(StageContext&) override { co_return Receipt{}; }
  asio::awaitable<void> abort(StageContext&) override { co_return; }

 private:
  Seen& seen_;
};

/// `length` bytes that do not compress, made as they are needed.
class GeneratedSource final : public Source {
 public:
  explicit GeneratedSource(std::size_t length) : length_{length} {}
  asio::awaitable<void> produce(Outlet& out, StageContext&) override {
    const Bytes once = test::pattern(mib);
    for (; length_ > 0; length_ -= std::min(length_, once.size())) {
      co_await out.write(std::span{once}.first(std::min(length_, once.size())));
    }
  }

 private:
  std::size_t length_;
};

struct Grant {
  ZstdSettings settings;
  std::size_t workers;
};

class ZstdWithWorkers : public testing::TestWithParam<Grant> {};

TEST_P(ZstdWithWorkers, UsesTheThreadsThatTheGrantAllowsAndTheMemoryThatItDeclared) {
  const auto [settings, workers] = GetParam();
  const std::ptrdiff_t threads_before = test::thread_count();
  // A plan that has just room for so many workers, and a filter that would like more.
  const std::size_t limit =
      run_filter(zstd_filter(settings, workers), {}, chunk_bytes).plan.total_bytes();
  WatchingSink::Seen seen;
  malloc_trim(0);
  [[maybe_unused]] const std::size_t memory_before = WatchingSink::memory_in_use();

  const auto [report, plan] = test::run_filter_between(
      std::make_unique<GeneratedSource>(64 * mib), zstd_filter(settings, 4),
      std::make_unique<WatchingSink>(seen), chunk_bytes, limit);

  EXPECT_EQ(report.outcome, Outcome::stored);
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_EQ(report.find_stage("filter")->notes.at("workers"), std::to_string(workers));
  EXPECT_EQ(seen.threads, threads_before + 1 + static_cast<std::ptrdiff_t>(workers));
  EXPECT_EQ(test::thread_count(), threads_before);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose malloc tells nothing
  EXPECT_LE(seen.memory - memory_before, plan.total_bytes() + 2 * mib);
  EXPECT_GE(seen.memory - memory_before, zstd_memory(settings, workers) / 2);
#endif
}

INSTANTIATE_TEST_SUITE_P(Grants, ZstdWithWorkers,
                         testing::Values(Grant{{.level = 3}, 0}, Grant{{.level = 3}, 2},
                                         Grant{{.level = 3}, 3}, Grant{{.level = 1}, 4},
                                         Grant{{.level = 1, .long_window = true}, 0},
                                         Grant{{.level = 1, .long_window = true}, 2}));

TEST(Zstd, NeedsLittleWithoutWorkersAndFitsTheDefaultJobWithTwo) {
  EXPECT_LE(zstd_memory({.level = 3}, 0), 4 * mib);
  EXPECT_LE(zstd_memory({.level = 3}, 2), 40 * mib);
  EXPECT_LE(zstd_memory({.level = 19}, 0), 90 * mib);
  EXPECT_GE(zstd_memory({.level = 3, .long_window = true}, 0), 128 * mib);
  EXPECT_EQ(zstd_filter({}, 8)->memory_demand(chunk_bytes).min_chunks,
            zstd_filter({}, 1)->memory_demand(chunk_bytes).wanted_chunks);
}

TEST(Zstd, EndsWithItsConsumerAndLeavesNoThread) {
  const std::ptrdiff_t threads_before = test::thread_count();
  for (const int chunks_taken : {0, 1, 20}) {
    const auto [report, plan] = test::run_filter_between(
        std::make_unique<test::EndlessSource>(test::pattern(chunk_bytes)), zstd_filter({}, 3),
        std::make_unique<test::FullSink>(chunks_taken), chunk_bytes);

    EXPECT_EQ(report.outcome, Outcome::failed);
    ASSERT_TRUE(report.cause);
    EXPECT_THAT(report.cause->what(), EndsWith("no room left"));
    EXPECT_THAT(report.warnings, IsEmpty());  // the runner warns of chunks that were not given back
    EXPECT_EQ(test::thread_count(), threads_before);
  }
}

/// The type "zstd" as a job file with these lines has it, and what was wrong with them.
std::pair<FilterType, config::Diagnostics> type_from(std::string_view toml) {
  Registry registry;
  register_all(registry);
  config::Diagnostics diagnostics;
  const config::Table table = config::parse_toml(toml, "job.toml");
  config::OptionReader options{table, "filter.zstd", diagnostics, true};
  FilterType type = (*registry.filter("zstd"))(options);
  options.finish();
  return {std::move(type), diagnostics};
}

TEST(Zstd, IsATypeOfJobFilesAndKnowsItsInverse) {
  const auto [type, diagnostics] = type_from("level = 7\nlong = true");
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(type.extension, ".zst");
  EXPECT_TRUE(type.compresses);
  const Bytes input = text(mib);

  const Bytes frame = run_filter(type.make({}), input, chunk_bytes).output;

  EXPECT_TRUE(run_filter(type.make_inverse({}), frame, chunk_bytes).output == input);
}

TEST(Zstd, HasLevelsFromOneToNineteenAndThreeByDefault) {
  EXPECT_TRUE(type_from("level = 1").second.empty());
  EXPECT_TRUE(type_from("level = 19").second.empty());
  EXPECT_FALSE(type_from("level = 0").second.empty());
  EXPECT_FALSE(type_from("level = 20").second.empty());
  EXPECT_EQ(type_from("").first.make({})->memory_demand(chunk_bytes).min_chunks,
            zstd_filter({.level = 3}, 0)->memory_demand(chunk_bytes).min_chunks);
}

}  // namespace
}  // namespace bp::stages
