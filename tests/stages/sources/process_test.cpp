#include "stages/sources/process.hpp"

#include "tests/support/processes.hpp"
#include "tests/support/source_run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace bp::stages {
namespace {

using namespace std::chrono_literals;
using test::run_source;
using test::SourceRun;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ProcessSourceTest : public testing::Test {
 protected:
  ~ProcessSourceTest() override { EXPECT_TRUE(test::children_of_ours().empty()); }

  static ProcessOptions shell(const std::string& script) {
    return {.child = {.argv = {"/bin/sh", "-c", script}}};
  }
  static SourceRun run(ProcessOptions options, std::size_t trip_at = 0,
                       std::function<void()> trip = nullptr) {
    return run_source(std::make_unique<ProcessSource>(std::move(options)), trip_at,
                      std::move(trip));
  }
  /// Ends the source's child while it is in the middle of its output.
  static void kill_child(int signal_number) {
    for (const pid_t child : test::children_of_ours()) kill(child, signal_number);
  }
};

TEST_F(ProcessSourceTest, StoresWhatTheChildPrinted) {
  const SourceRun run = this->run(shell("seq 1 100000"));

  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_EQ(run.output.size(), 588'895U);
  EXPECT_EQ(run.report.find_stage("source")->notes.at("exit"), "0");
}

TEST_F(ProcessSourceTest, NoExitCodeFrom1To255StoresAnything) {
  for (int code = 1; code <= 255; ++code) {
    const SourceRun run = this->run(shell("echo data; exit " + std::to_string(code)));
    ASSERT_EQ(run.report.outcome, Outcome::failed) << code;
    ASSERT_EQ(run.commits, 0) << code;
    ASSERT_EQ(run.cause(), fmt::format("source: 'sh' failed with exit status {}", code));
  }
}

TEST_F(ProcessSourceTest, NoSignalStoresAnythingEvenIfItsNumberIsAnAcceptedExitCode) {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
                           SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM}) {
    ProcessOptions options = shell(fmt::format("ulimit -c 0; echo data; kill -{} $$", number));
    options.ok_exit = {0, number};
    options.warn_exit = {128 + number};
    const SourceRun run = this->run(std::move(options));
    ASSERT_EQ(run.report.outcome, Outcome::failed) << number;
    ASSERT_EQ(run.commits, 0) << number;
    ASSERT_THAT(run.cause(), HasSubstr(fmt::format("was killed by signal {} (", number)));
  }
}

TEST_F(ProcessSourceTest, ADeathAtAnyPlaceOfTheStreamStoresNothing) {
  for (const std::size_t at :
       {0U, 1U, 16'383U, 16'384U, 16'385U, 100'000U, 1'000'000U, 3'333'333U}) {
    const SourceRun run = this->run(shell("exec yes"), at, [] { kill_child(SIGKILL); });
    ASSERT_EQ(run.report.outcome, Outcome::failed) << at;
    ASSERT_EQ(run.commits, 0) << at;
    ASSERT_THAT(run.cause(), HasSubstr("was killed by signal 9 (Killed)"));
    ASSERT_THAT(std::string{run.report.cause->hint()}, HasSubstr("out-of-memory"));
  }
}

TEST_F(ProcessSourceTest, AStreamThatGoesOnWithoutItsChildIsAFailure) {
  const SourceRun run = this->run(shell("yes & sleep 1000"), 0, [] { kill_child(SIGKILL); });

  EXPECT_EQ(run.cause(), "source: 'sh' exited but something still holds its output open");
  EXPECT_EQ(run.commits, 0);
}

TEST_F(ProcessSourceTest, AFailureSaysTheLastWords) {
  const SourceRun run =
      this->run(shell("echo one >&2; echo two >&2; echo three >&2; echo four >&2; exit 3"));

  EXPECT_EQ(run.cause(), "source: 'sh' failed with exit status 3: two; three; four");
}

TEST_F(ProcessSourceTest, AWarningExitIsStoredWithTheMessages) {
  ProcessOptions options = shell("echo data; echo careful >&2; exit 4");
  options.warn_exit = {4};

  const SourceRun run = this->run(std::move(options));

  EXPECT_EQ(run.report.outcome, Outcome::stored_with_warnings);
  ASSERT_EQ(run.report.warnings.size(), 1U);
  EXPECT_EQ(run.report.warnings[0].text, "'sh' ended with exit status 4");
  EXPECT_THAT(run.report.warnings[0].lines, ElementsAre("careful"));
  EXPECT_EQ(test::text_of(run.output), "data\n");
}

TEST_F(ProcessSourceTest, AWarningExitWithoutAnyOutputIsAFailure) {
  ProcessOptions options = shell("exit 4");
  options.warn_exit = {4};

  EXPECT_EQ(this->run(std::move(options)).report.outcome, Outcome::failed);
}

TEST_F(ProcessSourceTest, SudosOwnRefusalIsNotTarsWarning) {
  ProcessOptions options = shell("echo data; echo 'sudo: a password is required' >&2; exit 1");
  options.warn_exit = {1};
  options.child.sudo = true;

  const SourceRun run = this->run(std::move(options));

  EXPECT_EQ(run.report.outcome, Outcome::failed);
  EXPECT_THAT(run.cause(), HasSubstr("a password is required"));
}

TEST_F(ProcessSourceTest, AFailingConsumerEndsTheChild) {
  const SourceRun run = this->run(shell("yes"), 100'000, [] {
    throw Error{Errc::destination, "no room left"};
  });

  EXPECT_EQ(run.cause(), "sink: no room left");
}

TEST_F(ProcessSourceTest, TimeHeldUpByTheConsumerIsNotIdleTime) {
  ProcessOptions options = shell("seq 1 1000000");
  options.child.idle_limit = 40ms;

  // Stalls the whole I/O thread for longer than the limit; the child has more to say all the while.
  const SourceRun run = this->run(std::move(options), 100'000, [] {
    const auto until = std::chrono::steady_clock::now() + 120ms;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  });

  EXPECT_EQ(run.report.outcome, Outcome::stored);
}

TEST_F(ProcessSourceTest, ASilentChildIsATimeoutThatNamesIt) {
  ProcessOptions options = shell("echo data; exec sleep 1000");
  options.child.idle_limit = 40ms;

  const SourceRun run = this->run(std::move(options));

  EXPECT_EQ(run.report.cause->code(), Errc::timeout);
  EXPECT_EQ(run.cause(), "source: no output for 40ms from 'sh'");
  EXPECT_EQ(run.commits, 0);
}

TEST_F(ProcessSourceTest, AMissingProgramIsRefusedBeforeTheStart) {
  const SourceRun run = this->run({.child = {.argv = {"no-such-dump"}}});

  EXPECT_FALSE(run.report.started);
  EXPECT_EQ(run.cause(), "source: there is no program 'no-such-dump' that we may run");
}

}  // namespace
}  // namespace bp::stages
