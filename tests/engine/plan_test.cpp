#include "engine/plan.hpp"

#include "tests/support/memory_stages.hpp"

#include <gtest/gtest.h>

namespace bp {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// A filter with a demand; nothing here runs it.
class Demanding final : public Filter {
 public:
  explicit Demanding(MemoryDemand demand) : demand_{demand} {}
  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override { return demand_; }
  asio::awaitable<void> transform(Inlet&, Outlet&, StageContext&) override { co_return; }

 private:
  MemoryDemand demand_;
};

/// dump → filters… → s3, all edges with two slots. The two ends want two chunks each.
Graph chain(const std::vector<MemoryDemand>& filters) {
  GraphBuilder builder;
  auto last = builder.add("dump", std::make_unique<test::MemorySource>(test::Bytes{}));
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const auto next =
        builder.add("f" + std::to_string(i + 1), std::make_unique<Demanding>(filters[i]));
    builder.connect(last, next, {.slots = 2});
    last = next;
  }
  const auto end =
      builder.add("s3", std::make_unique<test::MemorySink>(std::make_shared<test::Stored>()));
  builder.connect(last, end, {.slots = 2});
  return std::move(builder).build();
}

TEST(Plan, AddsUpEdgesAndStages) {
  const MemoryPlan plan =
      plan_memory(chain({{.min_chunks = 3, .wanted_chunks = 3, .library_bytes = 5 * mebibyte}}),
                  mebibyte, 64 * mebibyte);
  EXPECT_EQ(plan.chunks, 2U + 2U + 3U + 2U + 2U);
  EXPECT_EQ(plan.library_bytes, 5 * mebibyte);
  EXPECT_EQ(plan.total_bytes(), 16 * mebibyte);
  EXPECT_EQ(plan.grants, (std::vector<std::size_t>{2, 3, 2}));
}

TEST(Plan, CountsTheChunkThatATeeHandsOut) {
  GraphBuilder builder;
  const auto dump = builder.add("dump", std::make_unique<test::MemorySource>(test::Bytes{}));
  for (const char* name : {"a", "b"}) {
    const auto stored = std::make_shared<test::Stored>();
    builder.connect(dump, builder.add(name, std::make_unique<test::MemorySink>(stored)),
                    {.slots = 4});
  }
  const MemoryPlan plan = plan_memory(std::move(builder).build(), mebibyte, 64 * mebibyte);
  EXPECT_EQ(plan.chunks, 3 * 2U + 1U + 4U + 4U + 2U);
}

TEST(Plan, SharesWhatIsLeftAmongTheElasticOnesEvenly) {
  const MemoryDemand elastic{.min_chunks = 1, .wanted_chunks = 10, .library_bytes = 0};
  const MemoryPlan plan = plan_memory(chain({elastic, elastic}), mebibyte, 20 * mebibyte);
  // 6 slots, 2 + 2 at the ends and 1 + 1 are the minimum; 8 are left for two.
  EXPECT_EQ(plan.grants, (std::vector<std::size_t>{2, 5, 5, 2}));
  EXPECT_EQ(plan.total_bytes(), 20 * mebibyte);
}

TEST(Plan, GivesNobodyMoreThanItWants) {
  const MemoryDemand modest{.min_chunks = 1, .wanted_chunks = 2, .library_bytes = 0};
  const MemoryDemand greedy{.min_chunks = 1, .wanted_chunks = 100, .library_bytes = 0};
  const MemoryPlan plan = plan_memory(chain({modest, greedy}), mebibyte, 20 * mebibyte);
  EXPECT_EQ(plan.grants, (std::vector<std::size_t>{2, 2, 8, 2}));
}

TEST(Plan, LeavesMemoryAloneThatNobodyWants) {
  const MemoryPlan plan = plan_memory(chain({}), mebibyte, 1000 * mebibyte);
  EXPECT_EQ(plan.total_bytes(), 6 * mebibyte);
}

TEST(Plan, AcceptsAJobThatFitsToTheByte) {
  EXPECT_NO_THROW((void)plan_memory(chain({}), mebibyte, 6 * mebibyte));
  EXPECT_THROW((void)plan_memory(chain({}), mebibyte, 6 * mebibyte - 1), Error);
}

TEST(Plan, RefusesWithTheTableThatDoesNotFit) {
  const MemoryDemand heavy{.min_chunks = 2, .wanted_chunks = 9, .library_bytes = 20 * mebibyte};
  try {
    (void)plan_memory(chain({heavy}), mebibyte, 16 * mebibyte);
    FAIL() << "a job of 30 MiB was accepted in 16 MiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::config);
    EXPECT_EQ(std::string{error.what()},
              "the job needs at least 30.0 MiB of memory, 16.0 MiB are allowed:\n"
              "                                          chunks       pool    library\n"
              "dump                                           2    2.0 MiB    0.0 MiB\n"
              "f1                                             2    2.0 MiB   20.0 MiB\n"
              "s3                                             2    2.0 MiB    0.0 MiB\n"
              "dump → f1                                      2    2.0 MiB    0.0 MiB\n"
              "f1 → s3                                        2    2.0 MiB    0.0 MiB\n"
              "total                                         10   10.0 MiB   20.0 MiB\n");
    EXPECT_EQ(error.hint(), "Raise [job] memory, or use fewer or lighter stages.");
  }
}

TEST(Plan, PrintsARowForEveryStageAndEveryEdge) {
  const MemoryPlan plan = plan_memory(chain({MemoryDemand{}}), mebibyte, 64 * mebibyte);
  ASSERT_EQ(plan.rows.size(), 5U);
  EXPECT_EQ(plan.rows[3].name, "dump → f1");
  EXPECT_EQ(plan.rows[3].chunks, 2U);
}

}  // namespace
}  // namespace bp
