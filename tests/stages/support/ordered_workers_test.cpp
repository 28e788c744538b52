#include "stages/support/ordered_workers.hpp"

#include "engine/blocking.hpp"
#include "engine/error.hpp"
#include "tests/support/threads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <optional>

namespace bp::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::StrEq;

TEST(OrderedWorkers, GivesSlotsBackInTheirOrderThoughTheyAreDoneInReverse) {
  constexpr std::size_t slots = 4;
  std::array<std::latch, slots + 1> done{std::latch{1}, std::latch{1}, std::latch{1}, std::latch{1},
                                         std::latch{0}};
  OrderedWorkers workers{
      "test", slots, slots, [&](std::size_t, std::size_t slot) {
        done[slot + 1].wait();  // each waits for the one that was submitted later
        done[slot].count_down();
      }};
  for (std::size_t i = 0; i < slots; ++i) workers.submit();

  std::vector<std::size_t> taken;
  while (!workers.idle()) taken.push_back(workers.take());

  EXPECT_THAT(taken, ElementsAre(0, 1, 2, 3));
}

TEST(OrderedWorkers, KeepOrderAndSlotsApartOverManyUnevenJobs) {
  constexpr std::size_t worker_count = 4;
  constexpr std::size_t jobs = 20'000;
  std::vector<std::uint64_t> slots(worker_count + 1);
  std::array<std::atomic<int>, worker_count> busy{};
  std::atomic<int> collisions = 0;
  OrderedWorkers workers{"test", worker_count, slots.size(),
                         [&](std::size_t worker, std::size_t slot) {
                           if (busy[worker].exchange(1) != 0) ++collisions;
                           const std::uint64_t job = slots[slot];
                           for (std::uint64_t i = 0; i < job % 7 * 500; ++i) (void)busy[0].load();
                           slots[slot] = job * job;
                           busy[worker] = 0;
                         }};

  std::uint64_t taken = 0;
  std::uint64_t wrong = 0;
  const auto take = [&] {
    const std::uint64_t job = taken++;
    if (slots[workers.take()] != job * job) ++wrong;
  };
  for (std::uint64_t job = 0; job < jobs; ++job) {
    slots[workers.next()] = job;
    workers.submit();
    if (workers.full()) take();
  }
  while (!workers.idle()) take();

  EXPECT_EQ(taken, jobs);
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(collisions, 0);
}

TEST(OrderedWorkers, TakeThrowsAFailureWithoutWaitingForOlderWork) {
  std::latch release{1};
  OrderedWorkers workers{"test", 2, 2, [&](std::size_t, std::size_t slot) {
                           if (slot == 1) throw Error{Errc::transform, "slot 1 is bad"};
                           release.wait();
                         }};
  workers.submit();
  workers.submit();

  std::optional<Error> thrown;
  try {
    (void)workers.take();
  } catch (const Error& error) {
    thrown = error;
  }
  release.count_down();

  ASSERT_TRUE(thrown);
  EXPECT_THAT(thrown->what(), StrEq("slot 1 is bad"));
}

TEST(OrderedWorkers, BeginNothingAfterAFailureAndRefuseMore) {
  std::atomic<int> begun = 0;
  {
    std::latch all_submitted{1};
    OrderedWorkers workers{"test", 1, 8, [&](std::size_t, std::size_t) {
                             ++begun;
                             all_submitted.wait();
                             throw Error{Errc::transform, "bad"};
                           }};
    for (int i = 0; i < 3; ++i) workers.submit();
    all_submitted.count_down();

    EXPECT_THROW((void)workers.take(), Error);
    EXPECT_THROW(workers.submit(), Error);
  }
  EXPECT_EQ(begun, 1);
}

TEST(OrderedWorkers, LeaveNoThreadAndNoHalfDoneWorkBehind) {
  const auto threads_before = test::thread_count();
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  {
    std::latch first{1};
    OrderedWorkers workers{"test", 3, 12, [&](std::size_t, std::size_t slot) {
                             ++begun;
                             if (slot == 0) first.count_down();
                             ++ended;
                           }};
    while (!workers.full()) workers.submit();
    first.wait();
  }

  EXPECT_GE(begun, 1);
  EXPECT_EQ(begun, ended);
  EXPECT_EQ(test::thread_count(), threads_before);
}

TEST(OrderedWorkers, CountTheCpuTimeOfTheirThreads) {
  using namespace std::chrono_literals;
  OrderedWorkers workers{"test", 2, 2, [](std::size_t, std::size_t) {
                           const auto begin = cpu_time_of_this_thread();
                           while (cpu_time_of_this_thread() - begin < 5ms) {
                           }
                         }};
  workers.submit();
  workers.submit();
  while (!workers.idle()) (void)workers.take();

  EXPECT_GE(workers.cpu_time(), 10ms);
}

}  // namespace
}  // namespace bp::stages
