#include "stages/support/secret_file.hpp"

#include "stages/support/child_process.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/fake_context.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace bp::stages {
namespace {

TEST(SecretFile, AChildReadsItAsOftenAsItLikes) {
  const SecretFile file{config::Secret{"s3cret\n"}};
  asio::io_context io;
  test::FakeContext ctx{io};
  ChildOptions child{.argv = {"cat", SecretFile::path(5), SecretFile::path(5)}};
  child.grant = {file.as(5)};

  const CommandResult result =
      test::run_on(io, run_command(ctx, std::move(child), std::chrono::seconds{20}, 100));

  EXPECT_EQ(result.output, "s3cret\ns3cret\n");
}

TEST(SecretFile, IsARegularFileThatOnlyWeMayRead) {
  const SecretFile file{config::Secret{"s3cret"}};
  struct stat facts {};
  ASSERT_EQ(fstat(file.as(3).ours, &facts), 0);
  EXPECT_EQ(facts.st_mode, mode_t{S_IFREG | 0600});
  EXPECT_EQ(facts.st_size, 6);
  EXPECT_EQ(facts.st_nlink, 0U);
}

TEST(SecretFile, NobodyCanChangeIt) {
  const SecretFile file{config::Secret{"s3cret"}};
  const int ours = file.as(3).ours;
  EXPECT_EQ(pwrite(ours, "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(ftruncate(ours, 0), -1);
}

TEST(SecretFile, IsNotInheritedUnlessItIsGranted) {
  const SecretFile file{config::Secret{"s3cret"}};
  EXPECT_EQ(fcntl(file.as(3).ours, F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace bp::stages
