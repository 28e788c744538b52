#include "stages/filters/gzip.hpp"

#include "config/document.hpp"
#include "stages/filters/gunzip.hpp"
#include "stages/filters/gzip_member.hpp"
#include "stages/registry.hpp"
#include "tests/support/command.hpp"
#include "tests/support/filter_run.hpp"
#include "tests/support/threads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <malloc.h>

#include <algorithm>
#include <atomic>

namespace bp::stages {
namespace {

using test::Bytes;
using test::run_filter;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

constexpr std::size_t block = 1 << 20;
constexpr std::size_t chunk_bytes = 256 << 10;

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

Bytes gzipped(const Bytes& input, int level = 6, std::size_t workers = 2) {
  auto run = run_filter(gzip_filter(level, workers), input, chunk_bytes);
  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_THAT(run.report.warnings, IsEmpty());
  return std::move(run.output);
}

/// Opens with the real gunzip, and with ours, and is `input` again.
void expect_opens(const Bytes& compressed, const Bytes& input) {
  EXPECT_EQ(test::pipe_through("gzip -t", compressed).status, 0);
  const auto theirs = test::pipe_through("gunzip", compressed);
  EXPECT_EQ(theirs.status, 0);
  EXPECT_TRUE(theirs.output == input);
  const auto ours = run_filter(gunzip_filter(), compressed, chunk_bytes);
  EXPECT_EQ(ours.report.outcome, Outcome::stored);
  EXPECT_TRUE(ours.output == input);
}

class GzipOfLength : public testing::TestWithParam<std::size_t> {};

TEST_P(GzipOfLength, OpensAndIsTheInputAgain) {
  for (const Bytes& input : {test::pattern(GetParam()), text(GetParam())}) {
    expect_opens(gzipped(input), input);
  }
}

INSTANTIATE_TEST_SUITE_P(AroundBlocks, GzipOfLength,
                         testing::Values(0, 1, chunk_bytes, block - 1, block, block + 1, 2 * block,
                                         9 * block + 12'345));

class GzipAtLevel : public testing::TestWithParam<int> {};

TEST_P(GzipAtLevel, OpensAndIsTheInputAgain) {
  const Bytes input = text(block + block / 2);
  const Bytes compressed = gzipped(input, GetParam());
  EXPECT_LT(compressed.size(), input.size() / 3);
  expect_opens(compressed, input);
}

INSTANTIATE_TEST_SUITE_P(All, GzipAtLevel, testing::Range(1, 13));

TEST(Gzip, StatesSizesThatLeadFromMemberToMemberToTheEndMark) {
  const Bytes compressed = gzipped(text(3 * block + 5));

  std::vector<std::uint32_t> contents;
  std::span<const std::byte> rest{compressed};
  while (!rest.empty()) {
    ASSERT_GE(rest.size(), 24U);
    const auto sizes = member_sizes(rest.subspan(12, 12));
    ASSERT_TRUE(sizes);
    ASSERT_LE(sizes->member_bytes, rest.size());
    contents.push_back(sizes->raw_bytes);
    rest = rest.subspan(sizes->member_bytes);
  }

  EXPECT_THAT(contents, ElementsAre(block, block, block, 5, 0));
}

TEST(Gzip, IsTheSameFromAnyNumberOfWorkersAndAnySizeOfChunks) {
  // Blocks that take long and blocks that take no time, so that workers overtake each other.
  Bytes input;
  for (int i = 0; i < 12; ++i) {
    const Bytes part = i % 3 == 0 ? text(block) : Bytes(block, std::byte{7});
    input.insert(input.end(), part.begin(), part.end());
  }
  const Bytes from_one = gzipped(input, 9, 1);
  for (const std::size_t workers : {2U, 3U, 4U}) {
    EXPECT_TRUE(gzipped(input, 9, workers) == from_one) << workers;
  }
  EXPECT_TRUE(run_filter(gzip_filter(9, 2), input, 10'007).output == from_one);
  expect_opens(from_one, input);
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

/// `length` bytes, made as they are needed.
class GeneratedSource final : public Source {
 public:
  explicit GeneratedSource(std::size_t length) : length_{length} {}
  asio::awaitable<void> produce(Outlet& out, StageContext&) override {
    const Bytes once = test::pattern(65'536);
    for (; length_ > 0; length_ -= std::min(length_, once.size())) {
      co_await out.write(std::span{once}.first(std::min(length_, once.size())));
    }
  }

 private:
  std::size_t length_;
};

class GzipWithWorkers : public testing::TestWithParam<std::size_t> {};

TEST_P(GzipWithWorkers, UsesTheThreadsThatTheGrantAllowsAndTheMemoryThatItDeclared) {
  const std::size_t workers = GetParam();
  const std::ptrdiff_t threads_before = test::thread_count();
  // A plan that has just room for so many workers, and a filter that would like more.
  const std::size_t limit = run_filter(gzip_filter(6, workers), {}, chunk_bytes).plan.total_bytes();
  WatchingSink::Seen seen;
  malloc_trim(0);
  [[maybe_unused]] const std::size_t memory_before = WatchingSink::memory_in_use();

  const auto [report, plan] =
      test::run_filter_between(std::make_unique<GeneratedSource>(24 * block), gzip_filter(6, 4),
                               std::make_unique<WatchingSink>(seen), chunk_bytes, limit);

  EXPECT_EQ(report.outcome, Outcome::stored);
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_EQ(seen.threads, threads_before + 1 + static_cast<std::ptrdiff_t>(workers));
  EXPECT_EQ(test::thread_count(), threads_before);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose malloc tells nothing
  const std::size_t small_things = block / 2;
  EXPECT_LE(seen.memory - memory_before, plan.total_bytes() + small_things);
  EXPECT_GE(seen.memory - memory_before, (workers + 1) * 2 * block);
#endif
}

INSTANTIATE_TEST_SUITE_P(OneToFour, GzipWithWorkers, testing::Values(1, 2, 3, 4));

TEST(Gzip, AlwaysAsksForMemoryForOneWorkerAtLeast) {
  const MemoryDemand one = gzip_filter(6, 1)->memory_demand(chunk_bytes);
  const MemoryDemand none = gzip_filter(6, 0)->memory_demand(chunk_bytes);
  const MemoryDemand many = gzip_filter(6, 64)->memory_demand(chunk_bytes);

  EXPECT_EQ(one.min_chunks, one.wanted_chunks);
  EXPECT_EQ(none.wanted_chunks, one.wanted_chunks);
  EXPECT_EQ(many.min_chunks, one.min_chunks);
  EXPECT_GT(many.wanted_chunks, 60 * (2 * block / chunk_bytes));
}

TEST(Gzip, EndsWithItsConsumerAndLeavesNoThread) {
  const std::ptrdiff_t threads_before = test::thread_count();
  for (const int chunks_taken : {0, 1, 20}) {
    const auto [report, plan] = test::run_filter_between(
        std::make_unique<test::EndlessSource>(test::pattern(chunk_bytes)), gzip_filter(6, 3),
        std::make_unique<test::FullSink>(chunks_taken), chunk_bytes);

    EXPECT_EQ(report.outcome, Outcome::failed);
    ASSERT_TRUE(report.cause);
    EXPECT_THAT(report.cause->what(), EndsWith("no room left"));
    EXPECT_THAT(report.warnings, IsEmpty());  // the runner warns of chunks that were not given back
    EXPECT_EQ(test::thread_count(), threads_before);
  }
}

TEST(Gzip, ReportsTheCpuTimeOfItsWorkers) {
  const auto run = run_filter(gzip_filter(9, 2), text(4 * block), chunk_bytes);

  // More than the stage's own thread needs for copying: level 9 makes some 50 MB/s at best.
  EXPECT_GT(run.report.find_stage("filter")->cpu, std::chrono::milliseconds{20});
}

/// The type "gzip" as a job file with these lines has it, and what was wrong with them.
std::pair<FilterType, config::Diagnostics> type_from(std::string_view toml) {
  Registry registry;
  register_all(registry);
  config::Diagnostics diagnostics;
  const config::Table table = config::parse_toml(toml, "job.toml");
  config::OptionReader options{table, "filter.gzip", diagnostics, true};
  FilterType type = (*registry.filter("gzip"))(options);
  options.finish();
  return {std::move(type), diagnostics};
}

TEST(Gzip, IsATypeOfJobFilesAndKnowsItsInverse) {
  const auto [type, diagnostics] = type_from("level = 12");
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(type.extension, ".gz");
  EXPECT_TRUE(type.compresses);
  const Bytes input = text(block);

  const Bytes compressed = run_filter(type.make({}), input, chunk_bytes).output;

  EXPECT_TRUE(compressed == gzipped(input, 12));
  EXPECT_TRUE(run_filter(type.make_inverse({}), compressed, chunk_bytes).output == input);
}

TEST(Gzip, HasLevelsFromOneToTwelveAndSixByDefault) {
  EXPECT_TRUE(type_from("level = 1").second.empty());
  EXPECT_FALSE(type_from("level = 0").second.empty());
  EXPECT_FALSE(type_from("level = 13").second.empty());
  const Bytes input = text(block);

  EXPECT_TRUE(run_filter(type_from("").first.make({}), input, chunk_bytes).output ==
              gzipped(input, 6));
}

}  // namespace
}  // namespace bp::stages
