#include "stages/store/lock.hpp"

#include "tests/support/sacrificed_child.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <vector>

namespace bp::test {
namespace {

using stages::JobLock;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(JobLock, IsHeldByOneOfTwo) {
  const TemporaryFolder folder;
  JobLock first{folder / "lock"};
  JobLock second{folder / "lock"};

  EXPECT_TRUE(first.try_lock("run1"));
  EXPECT_FALSE(second.try_lock("run2"));

  EXPECT_TRUE(first.held());
  EXPECT_FALSE(second.held());
}

TEST(JobLock, SaysWhoHoldsIt) {
  const TemporaryFolder folder;
  JobLock first{folder / "lock"};
  JobLock second{folder / "lock"};
  ASSERT_TRUE(first.try_lock("20261123-020000-ab12"));
  ASSERT_FALSE(second.try_lock("run2"));

  const std::string message = second.holder().message();

  EXPECT_THAT(message, AllOf(StartsWith("already running: pid " + std::to_string(::getpid())),
                             HasSubstr(", run 20261123-020000-ab12, since 20"), EndsWith("Z")));
}

TEST(JobLock, HasSomethingToSayAboutAnEmptyFile) {
  const TemporaryFolder folder;
  write_text(folder / "lock", "");

  EXPECT_EQ(JobLock{folder / "lock"}.holder().message(), "already running");
}

TEST(JobLock, IsFreeAgainWhenItsHolderGoes) {
  const TemporaryFolder folder;
  {
    JobLock first{folder / "lock"};
    ASSERT_TRUE(first.try_lock("run1"));
  }
  JobLock second{folder / "lock"};

  EXPECT_TRUE(second.try_lock("run2"));
}

TEST(JobLock, IsFreeAgainWhenItsHolderIsKilled) {
  const TemporaryFolder folder;
  ASSERT_TRUE(kill_at([&folder](const std::function<void()>& reached) {
    JobLock lock{folder / "lock"};
    if (lock.try_lock("run1")) reached();
  }));
  JobLock lock{folder / "lock"};

  EXPECT_TRUE(lock.try_lock("run2"));
  EXPECT_EQ(lock.holder().run_id, "run2");
}

TEST(JobLock, IsNotInheritedByAChildThatExecs) {
  const TemporaryFolder folder;
  JobLock lock{folder / "lock"};
  ASSERT_TRUE(lock.try_lock("run1"));

  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) != folder / "lock") continue;
    const int fd = std::stoi(entry.path().filename());
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    return;
  }
  FAIL() << "the lock has no descriptor";
}

TEST(JobLock, DoesNotTrustALockOnARemovedFile) {
  const TemporaryFolder folder;
  JobLock first{folder / "lock"};
  ASSERT_TRUE(first.try_lock("run1"));
  std::filesystem::remove(folder / "lock");
  JobLock second{folder / "lock"};
  ASSERT_TRUE(second.try_lock("run2"));
  JobLock third{folder / "lock"};

  EXPECT_FALSE(third.try_lock("run3"));
}

TEST(JobLock, IsHeldByExactlyOneOfTwentyProcesses) {
  const TemporaryFolder folder;
  std::array<int, 2> results{};
  std::array<int, 2> gate{};
  ASSERT_EQ(::pipe(results.data()), 0);
  ASSERT_EQ(::pipe(gate.data()), 0);

  std::vector<pid_t> children;
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(gate[1]);
      JobLock lock{folder / "lock"};
      const char answer = lock.try_lock("run") ? 'y' : 'n';
      if (::write(results[1], &answer, 1) != 1) ::_exit(2);
      char end = 0;  // keeps what it has until everybody has tried
      ::_exit(::read(gate[0], &end, 1) == 0 ? 0 : 3);
    }
    children.push_back(child);
  }
  int held = 0;
  for (std::size_t i = 0; i < children.size(); ++i) {
    char answer = 0;
    ASSERT_EQ(::read(results[0], &answer, 1), 1);
    held += answer == 'y' ? 1 : 0;
  }
  ::close(gate[1]);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  for (const int fd : {results[0], results[1], gate[0]}) ::close(fd);

  EXPECT_EQ(held, 1);
}

}  // namespace
}  // namespace bp::test
