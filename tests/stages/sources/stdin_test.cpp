#include "tests/support/source_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <stop_token>
#include <thread>

namespace bp::stages {
namespace {

using testing::HasSubstr;

/// Another standard input, until the end of the test.
class OtherStdin {
 public:
  explicit OtherStdin(int fd) { dup2(fd, STDIN_FILENO); }
  OtherStdin(const OtherStdin&) = delete;
  OtherStdin& operator=(const OtherStdin&) = delete;
  ~OtherStdin() {
    dup2(saved_, STDIN_FILENO);
    close(saved_);
  }

 private:
  int saved_ = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
};

std::unique_ptr<Source> stdin_source() {
  return test::make_source("stdin", "").type.make({});
}

TEST(StdinSource, StoresWhatIsPipedIn) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const OtherStdin other{ends[0]};
  const test::Bytes bytes = test::pattern(1'000'000);
  std::thread writer{[&] {
    for (std::size_t done = 0; done < bytes.size();) {
      const auto count = write(ends[1], bytes.data() + done, bytes.size() - done);
      done += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }
    close(ends[1]);
  }};

  const test::SourceRun run = test::run_source(stdin_source());

  writer.join();
  close(ends[0]);
  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_TRUE(run.output == bytes);
  EXPECT_THAT(run.report.find_stage("source")->notes.at("producer"), HasSubstr("unknown"));
}

TEST(StdinSource, EndsWhenItIsStoppedThoughNothingComes) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const OtherStdin other{ends[0]};
  const std::string first(100'000, 'x');
  std::stop_source stop;
  RunOptions options;
  options.stop = stop.get_token();
  ASSERT_EQ(write(ends[1], first.data(), 60'000), 60'000);

  const test::SourceRun run = test::run_source(
      stdin_source(), 1, [&] { stop.request_stop(); }, std::move(options));

  close(ends[0]);
  close(ends[1]);
  EXPECT_EQ(run.report.outcome, Outcome::cancelled);
  EXPECT_EQ(run.commits, 0);
}

TEST(StdinSource, RefusesATerminal) {
  int controller = -1, terminal = -1;
  ASSERT_EQ(openpty(&controller, &terminal, nullptr, nullptr, nullptr), 0);
  const OtherStdin other{terminal};

  const test::SourceRun run = test::run_source(stdin_source());

  close(controller);
  close(terminal);
  EXPECT_FALSE(run.report.started);
  EXPECT_THAT(run.cause(), HasSubstr("standard input is a terminal"));
}

}  // namespace
}  // namespace bp::stages
