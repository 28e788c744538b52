#include "engine/reaper.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/processes.hpp"

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>

namespace bp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

/// A child that leads its own group and has done `first` when this returns.
template <class First>
pid_t start(First first) {
  std::array<int, 2> ready{};
  EXPECT_EQ(pipe(ready.data()), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    setsid();
    first();
    close(ready[0]);
    close(ready[1]);
    for (;;) pause();
  }
  close(ready[1]);
  char byte = 0;
  EXPECT_EQ(read(ready[0], &byte, 1), 0);
  close(ready[0]);
  return pid;
}
void obey() {}
void ignore_term() {
  signal(SIGTERM, SIG_IGN);
}

class ReaperTest : public testing::Test {
 protected:
  ~ReaperTest() override { EXPECT_TRUE(test::children_of_ours().empty()); }

  Reaper::Child child(pid_t pid, bool may_kill = true) {
    return {.pid = pid, .name = "dump", .may_kill = may_kill, .gone = [this](auto used) {
              ++gone;
              cpu += used;
            }};
  }
  static void collect(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }

  asio::io_context io;
  int gone = 0;
  std::chrono::nanoseconds cpu{};
};

TEST_F(ReaperTest, EndsAPoliteChildWithTermAlone) {
  Reaper reaper{io.get_executor(), 1h};
  reaper.adopt(child(start(obey)));

  EXPECT_THAT(test::run_on(io, reaper.drain(1h)), IsEmpty());

  EXPECT_EQ(gone, 1);
}

TEST_F(ReaperTest, KillsAChildThatIgnoresTermAfterTheGrace) {
  Reaper reaper{io.get_executor(), 20ms};
  const auto before = Clock::now();
  reaper.adopt(child(start(ignore_term)));

  EXPECT_THAT(test::run_on(io, reaper.drain(1h)), IsEmpty());

  EXPECT_GE(Clock::now() - before, 20ms);
  EXPECT_EQ(gone, 1);
}

TEST_F(ReaperTest, EndsAChildThatIsStopped) {
  Reaper reaper{io.get_executor(), 1h};
  const pid_t pid = start(obey);
  kill(pid, SIGSTOP);
  reaper.adopt(child(pid));

  EXPECT_THAT(test::run_on(io, reaper.drain(1h)), IsEmpty());
}

TEST_F(ReaperTest, EndsTheWholeGroup) {
  std::array<int, 2> told{};
  ASSERT_EQ(pipe(told.data()), 0);
  const pid_t pid = start([&] {
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      signal(SIGTERM, SIG_IGN);
      close(told[0]);
      const pid_t self = getpid();
      if (write(told[1], &self, sizeof self) != sizeof self) _exit(1);
      for (int fd = 3; fd < 64; ++fd) close(fd);
      for (;;) pause();
    }
  });
  pid_t grandchild = 0;
  ASSERT_EQ(read(told[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  close(told[0]);
  close(told[1]);
  Reaper reaper{io.get_executor(), 1h};
  reaper.adopt(child(pid));

  EXPECT_THAT(test::run_on(io, reaper.drain(1h)), IsEmpty());

  test::await_death(grandchild);
  EXPECT_FALSE(test::is_running(grandchild));
}

TEST_F(ReaperTest, NeverKillsASudoChildAndNamesItInstead) {
  Reaper reaper{io.get_executor(), 5ms};
  const pid_t pid = start(ignore_term);
  reaper.adopt(child(pid, false));
  std::vector<std::string> remaining;
  asio::co_spawn(io, reaper.drain(5ms), [&](std::exception_ptr, std::vector<std::string> names) {
    remaining = std::move(names);
    io.stop();
  });

  io.run();

  EXPECT_THAT(remaining, ElementsAre("dump"));
  EXPECT_TRUE(test::is_running(pid));
  collect(pid);
}

TEST_F(ReaperTest, AHurryShortensTheGraceOfThoseAlreadyThere) {
  Reaper reaper{io.get_executor(), 1h};
  reaper.adopt(child(start(ignore_term)));
  asio::post(io, [&] { reaper.hurry(1ms); });

  io.run();  // an hour, if it did not

  EXPECT_EQ(gone, 1);
}

TEST_F(ReaperTest, GoesOnAfterItsOwnDestruction) {
  {
    Reaper reaper{io.get_executor(), 1ms};
    reaper.adopt(child(start(ignore_term)));
  }

  io.run();

  EXPECT_EQ(gone, 1);
}

TEST_F(ReaperTest, KeepsWhatIsNeededUntilTheLastChildIsGone) {
  auto needed = std::make_shared<int>();
  const std::weak_ptr<int> kept = needed;
  Reaper reaper{io.get_executor(), 1h};
  reaper.adopt(child(start(obey)));
  reaper.adopt(child(start(obey)));
  reaper.keep(std::move(needed));
  EXPECT_FALSE(kept.expired());

  while (gone < 1) io.run_one();
  EXPECT_FALSE(kept.expired());

  io.run();
  EXPECT_EQ(gone, 2);
  EXPECT_TRUE(kept.expired());
}

TEST_F(ReaperTest, EndsChildrenThoughNoDescriptorIsLeft) {
  Reaper reaper{io.get_executor(), 1ms};
  const pid_t polite = start(obey);
  const pid_t rude = start(ignore_term);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  reaper.adopt(child(polite));
  reaper.adopt(child(rude));
  setrlimit(RLIMIT_NOFILE, &before);

  EXPECT_THAT(test::run_on(io, reaper.drain(1h)), IsEmpty());

  EXPECT_EQ(gone, 2);
}

TEST_F(ReaperTest, ReportsTheCpuTimeOfTheDead) {
  Reaper reaper{io.get_executor(), 1h};
  reaper.adopt(child(start([] {
    rusage used{};
    do {
      getrusage(RUSAGE_SELF, &used);
    } while (used.ru_utime.tv_usec + used.ru_stime.tv_usec < 30'000);
  })));

  EXPECT_THAT(test::run_on(io, reaper.drain(1h)), IsEmpty());

  EXPECT_GE(cpu, 30ms);
}

}  // namespace
}  // namespace bp
