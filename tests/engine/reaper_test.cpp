#include "engine/reaper.hpp"

#include "tests/support/coroutine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>

namespace bp {
namespace {

using test::run_on;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::chrono::hours for_ever{1};

/// A child of its own session that sleeps for longer than any test takes.
pid_t sleeping_child(bool deaf_to_term) {
  // Ignored signals stay ignored across exec: no moment in which the child would still listen.
  const auto before = ::signal(SIGTERM, deaf_to_term ? SIG_IGN : SIG_DFL);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string sleep = "sleep", seconds = "1000";
  std::array<char*, 3> argv{sleep.data(), seconds.data(), nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, "sleep", nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  ::signal(SIGTERM, before);
  if (failed != 0) throw std::runtime_error{"unable to start sleep"};
  return pid;
}

class ReaperTest : public ::testing::Test {
 protected:
  void adopt(Reaper& reaper, bool deaf_to_term, bool may_kill = true) {
    pid = sleeping_child(deaf_to_term);
    reaper.adopt(
        {.pid = pid, .name = "dump", .may_kill = may_kill, .gone = [this](auto) { ++gone; }});
  }
  [[nodiscard]] bool exists() const { return ::kill(pid, 0) == 0; }

  asio::io_context io;
  pid_t pid = 0;
  int gone = 0;
};

TEST_F(ReaperTest, EndsAChildByTermAlone) {
  Reaper reaper{io.get_executor(), for_ever};
  adopt(reaper, /*deaf_to_term=*/false);
  EXPECT_THAT(run_on(io, reaper.drain(for_ever)), IsEmpty());
  EXPECT_EQ(gone, 1);
  EXPECT_FALSE(exists());
}

TEST_F(ReaperTest, KillsAChildThatIgnoresTermAfterItsGrace) {
  Reaper reaper{io.get_executor(), std::chrono::milliseconds{20}};
  adopt(reaper, /*deaf_to_term=*/true);
  EXPECT_THAT(run_on(io, reaper.drain(for_ever)), IsEmpty());
  EXPECT_EQ(gone, 1);
  EXPECT_FALSE(exists());
}

TEST_F(ReaperTest, ShortensTheGraceOfThoseWhoAreHereWhenItIsHurried) {
  Reaper reaper{io.get_executor(), for_ever};
  adopt(reaper, /*deaf_to_term=*/true);
  asio::post(io, [&reaper] { reaper.hurry(std::chrono::milliseconds{20}); });
  EXPECT_THAT(run_on(io, reaper.drain(for_ever)), IsEmpty());
  EXPECT_EQ(gone, 1);
}

asio::awaitable<void> give_up(Reaper& reaper, std::vector<std::string>& remaining) {
  remaining = co_await reaper.drain(std::chrono::milliseconds{20});
}

TEST_F(ReaperTest, NamesAChildThatItMayNotKillAndKeepsWhatItsEndNeeds) {
  std::vector<std::string> remaining;
  auto needed = std::make_shared<int>();
  const std::weak_ptr<int> kept = needed;
  Reaper reaper{io.get_executor(), std::chrono::milliseconds{20}};
  adopt(reaper, /*deaf_to_term=*/true, /*may_kill=*/false);
  asio::co_spawn(io, give_up(reaper, remaining), asio::detached);
  while (remaining.empty() && io.run_one() != 0) continue;
  EXPECT_THAT(remaining, ElementsAre("dump"));
  EXPECT_TRUE(exists());

  reaper.keep(std::move(needed));
  EXPECT_FALSE(kept.expired());
  EXPECT_EQ(gone, 0);
  ::kill(pid, SIGKILL);
  io.run();

  EXPECT_EQ(gone, 1);
  EXPECT_TRUE(kept.expired());
}

}  // namespace
}  // namespace bp
