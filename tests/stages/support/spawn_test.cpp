#include "stages/support/spawn.hpp"

#include "engine/error.hpp"

#include <gtest/gtest.h>

#include <linux/ioprio.h>
#include <sys/wait.h>

#include <cerrno>

namespace bp::stages {
namespace {

TEST(IoPriority, IsTheKernelsNumber) {
  EXPECT_EQ(parse_io_priority("idle"), IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
  EXPECT_EQ(parse_io_priority("best-effort:7"), (IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT) | 7);
  EXPECT_EQ(parse_io_priority("best-effort"), (IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT) | 4);
}

TEST(IoPriority, IsNothingElse) {
  for (const char* const bad : {"", "realtime", "idle:1", "best-effort:", "best-effort:8",
                                "best-effort:-1", "best-effort:70", "best-effortless"}) {
    EXPECT_EQ(parse_io_priority(bad), std::nullopt) << bad;
  }
}

TEST(Spawn, FiftyFailedExecsLeaveNoZombie) {
  const SpawnOptions options{.program = "/no/such/program",
                             .argv = {"program"},
                             .environment = {},
                             .working_directory = "",
                             .descriptors = {}};
  for (int i = 0; i < 50; ++i) EXPECT_THROW(static_cast<void>(spawn(options)), Error);

  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Spawn, AFailedExecIsReportedThoughEveryNumberAroundIsGranted) {
  // The report pipe would be on one of these, if it stayed where it was made.
  SpawnOptions options{.program = "/no/such/program",
                       .argv = {"program"},
                       .environment = {},
                       .working_directory = "",
                       .descriptors = {}};
  for (int number = 3; number < 100; ++number) options.descriptors.push_back({0, number});

  EXPECT_THROW(static_cast<void>(spawn(options)), Error);
}

}  // namespace
}  // namespace bp::stages
