#include "stages/support/child_process.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/fake_context.hpp"
#include "tests/support/processes.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

namespace bp::stages {
namespace {

using namespace std::chrono_literals;
using test::FakeContext;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// What a child printed and how it ended.
struct Ran {
  std::string output;
  ExitStatus status;
  std::string errors, last_words;
};

asio::awaitable<std::string> read_all(ChildProcess& child, FakeContext& ctx) {
  std::string output;
  for (bool more = true; more;) {
    Buffer buffer = ctx.pool().acquire();
    more = co_await child.fill(buffer);
    if (buffer.empty()) break;
    const Chunk chunk = std::move(buffer).freeze();
    const auto bytes = chunk.bytes();
    output.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  co_return output;
}

asio::awaitable<Ran> run_child(FakeContext& ctx, ChildOptions options) {
  ChildProcess child = ChildProcess::start(ctx, std::move(options));
  Ran ran;
  ran.output = co_await read_all(child, ctx);
  ran.status = co_await child.exited();
  ran.errors = child.stderr_tail();
  ran.last_words = child.last_words();
  co_return ran;
}

class ChildProcessTest : public testing::Test {
 protected:
  ~ChildProcessTest() override {
    EXPECT_TRUE(test::children_of_ours().empty());
    EXPECT_EQ(ctx.pool().in_use(), 0U);
  }

  Ran run(ChildOptions options) { return test::run_on(io, run_child(ctx, std::move(options))); }
  Ran run_shell(const std::string& script) { return run({.argv = {"/bin/sh", "-c", script}}); }

  Errc code_of_failure(ChildOptions options) {
    try {
      run(std::move(options));
    } catch (const Error& error) {
      message = error.what();
      return error.code();
    }
    ADD_FAILURE() << "no failure";
    return Errc::internal;
  }

  asio::io_context io;
  FakeContext ctx{io};
  std::string message;
};

TEST_F(ChildProcessTest, GivesWhatTheChildPrintedAndItsStatus) {
  const Ran ran = run({.argv = {"printf", "%s-%s", "one two", "$HOME"}});

  EXPECT_EQ(ran.output, "one two-$HOME");
  EXPECT_TRUE(ran.status.success());
}

TEST_F(ChildProcessTest, EveryExitCodeFrom1To255IsAFailureThatKeepsItsNumber) {
  for (int code = 1; code <= 255; ++code) {
    const Ran ran = run_shell("exit " + std::to_string(code));
    ASSERT_FALSE(ran.status.success());
    ASSERT_EQ(ran.status.code, code);
    ASSERT_EQ(ran.status.signal, 0);
  }
}

TEST_F(ChildProcessTest, ASignalIsNeverMistakenForAnExitCode) {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
                           SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM}) {
    const Ran ran = run_shell("ulimit -c 0; kill -" + std::to_string(number) + " $$");
    ASSERT_FALSE(ran.status.success());
    ASSERT_EQ(ran.status.signal, number);
  }
  EXPECT_EQ((ExitStatus{.code = 0, .signal = 9}).text(), "killed by signal 9 (Killed)");
  EXPECT_EQ((ExitStatus{.code = 2, .signal = 0}).text(), "exit status 2");
}

TEST_F(ChildProcessTest, DrainsAFloodOfErrorsAndKeepsItsEnd) {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);

  const Ran ran = run_shell("yes complaint | head -c 104857600 >&2; echo the end >&2; echo out");

  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(ran.output, "out\n");
  EXPECT_EQ(ran.errors.size(), std::size_t{64} << 10);
  EXPECT_THAT(ran.errors, EndsWith("the end\n"));
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 4096) << "kilobytes";
}

TEST_F(ChildProcessTest, SeesNoDescriptorButItsThreeAndTheGrantedOnes) {
  const int leaked = open("/dev/null", O_RDONLY);  // no O_CLOEXEC: like a careless library's
  const int first = memfd_create("first", MFD_CLOEXEC);
  const int second = memfd_create("second", MFD_CLOEXEC);
  ASSERT_EQ(write(first, "one", 3), 3);
  ASSERT_EQ(write(second, "two", 3), 3);

  // Each asks for the number that the other one has.
  const Ran ran =
      run({.argv = {"/bin/sh", "-c", "ls /proc/self/fd; cat /proc/self/fd/$0; cat /proc/self/fd/$1",
                    std::to_string(first), std::to_string(second)},
           .grant = {{first, second}, {second, first}}});

  close(leaked);
  close(first);
  close(second);
  // ls itself opens the folder, on the lowest number that is free.
  EXPECT_EQ(ran.output, fmt::format("0\n1\n2\n3\n{}\n{}\ntwoone", first, second));
}

TEST_F(ChildProcessTest, GetsDefaultSignalsAndAnEmptyMask) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, &before);

  const Ran ran = run({.argv = {"grep", "^Sig[BI]", "/proc/self/status"}});

  sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(ran.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ChildProcessTest, GetsOnlyTheAllowedEnvironmentAndItsOwn) {
  setenv("BP_TEST_CANARY", "secret", 1);
  setenv("LC_BP_TEST", "kept", 1);

  const Ran ran = run({.argv = {"env"}, .environment = {{"EXTRA", "a=b"}, {"HOME", "/nowhere"}}});

  unsetenv("BP_TEST_CANARY");
  unsetenv("LC_BP_TEST");
  EXPECT_THAT(ran.output, Not(HasSubstr("CANARY")));
  EXPECT_THAT(ran.output, HasSubstr("LC_BP_TEST=kept\n"));
  EXPECT_THAT(ran.output, HasSubstr("EXTRA=a=b\n"));
  EXPECT_THAT(ran.output, HasSubstr("HOME=/nowhere\n"));
  EXPECT_THAT(ran.output, HasSubstr("PATH="));
}

TEST_F(ChildProcessTest, LeadsItsOwnSessionAndGroup) {
  const Ran ran = run_shell("ps -o pid=,pgid=,sid= -p $$");

  pid_t pid = 0, group = 0, session = 0;
  ASSERT_EQ(sscanf(ran.output.c_str(), "%d %d %d", &pid, &group, &session), 3);
  EXPECT_EQ(group, pid);
  EXPECT_EQ(session, pid);
}

TEST_F(ChildProcessTest, ReadsNothingFromStdinUnlessItIsFed) {
  EXPECT_EQ(run({.argv = {"readlink", "/proc/self/fd/0"}}).output, "/dev/null\n");
}

TEST_F(ChildProcessTest, RunsInItsFolderWithItsPriorities) {
  const Ran ran = run({.argv = {"/bin/sh", "-c", "pwd; nice"},
                       .working_directory = "/usr",
                       .nice = 7,
                       .io_priority = parse_io_priority("idle")});

  const int own = getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(ran.output, fmt::format("/usr\n{}\n", own + 7));
}

TEST_F(ChildProcessTest, AMissingProgramIsAnErrorWithoutAChild) {
  EXPECT_EQ(code_of_failure({.argv = {"no-such-program"}}), Errc::source);
  EXPECT_EQ(message, "unable to start 'no-such-program': not found in PATH");
}

TEST_F(ChildProcessTest, AProgramThatCannotRunIsAnErrorWithoutAZombie) {
  const std::string path = testing::TempDir() + "/not-a-program";
  const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755);
  ASSERT_EQ(write(file,
                  "\x7f"
                  "ELF",
                  4),
            4);
  close(file);

  EXPECT_EQ(code_of_failure({.argv = {path}}), Errc::source);

  EXPECT_THAT(message, EndsWith("Exec format error"));
  std::filesystem::remove(path);
}

TEST_F(ChildProcessTest, AMissingFolderIsAnErrorThatNamesIt) {
  EXPECT_EQ(code_of_failure({.argv = {"true"}, .working_directory = "/no/such"}), Errc::source);
  EXPECT_EQ(message, "unable to start 'true': folder '/no/such': No such file or directory");
}

TEST_F(ChildProcessTest, ReportsItsCpuTime) {
  run_shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");

  EXPECT_GT(ctx.cpu, 10ms);
  EXPECT_EQ(ctx.children_collected, 1);
}

TEST_F(ChildProcessTest, SaysItsLastWordsOnOneLine) {
  const Ran ran = run_shell(R"(printf 'first\n\n second\033[2J \nthird\nfourth' >&2)");

  EXPECT_EQ(ran.last_words, "second?[2J; third; fourth");
}

asio::awaitable<std::string> feed_cat(FakeContext& ctx, std::string_view text) {
  ChildProcess child = ChildProcess::start(ctx, {.argv = {"cat"}, .feed_stdin = true});
  const auto bytes = std::as_bytes(std::span{text});
  EXPECT_TRUE(co_await child.feed(bytes));
  child.finish_stdin();
  std::string output = co_await read_all(child, ctx);
  const ExitStatus status = co_await child.exited();
  EXPECT_TRUE(status.success());
  co_return output;
}

TEST_F(ChildProcessTest, FeedsItsStdin) {
  EXPECT_EQ(test::run_on(io, feed_cat(ctx, "some payload")), "some payload");
}

asio::awaitable<ExitStatus> feed_one_that_exits(FakeContext& ctx, bool& still_reading) {
  ChildProcess child =
      ChildProcess::start(ctx, {.argv = {"/bin/sh", "-c", "exit 3"}, .feed_stdin = true});
  const std::vector<std::byte> bytes(4U << 20);
  still_reading = co_await child.feed(bytes);
  co_return co_await child.exited();
}

TEST_F(ChildProcessTest, FeedingAChildThatDiedReportsItsStatusInsteadOfABrokenPipe) {
  signal(SIGPIPE, SIG_IGN);
  bool still_reading = true;

  const ExitStatus status = test::run_on(io, feed_one_that_exits(ctx, still_reading));

  EXPECT_FALSE(still_reading);
  EXPECT_EQ(status.code, 3);
}

TEST_F(ChildProcessTest, AnIdleChildIsATimeout) {
  EXPECT_EQ(
      code_of_failure({.argv = {"/bin/sh", "-c", "echo a; exec sleep 1000"}, .idle_limit = 50ms}),
      Errc::timeout);
  EXPECT_EQ(message, "no output for 50ms from 'sh'");
}

TEST_F(ChildProcessTest, AChildThatEndsItsOutputAndStaysIsATimeout) {
  EXPECT_EQ(code_of_failure({.argv = {"/bin/sh", "-c", "exec >&- sleep 1000"}, .idle_limit = 50ms}),
            Errc::timeout);
  EXPECT_EQ(message, "'sh' ended its output and then did not exit for 50ms");
}

TEST_F(ChildProcessTest, ABusyChildMeetsItsTimeLimit) {
  EXPECT_EQ(code_of_failure({.argv = {"yes"}, .time_limit = 50ms}), Errc::timeout);
  EXPECT_EQ(message, "'yes' did not end within 50ms");
}

TEST_F(ChildProcessTest, AGrandchildThatHoldsTheOutputDoesNotHideTheEnd) {
  EXPECT_EQ(code_of_failure({.argv = {"/bin/sh", "-c", "sleep 1000 & exit 0"}}), Errc::source);
  EXPECT_EQ(message, "'sh' exited but something still holds its output open");
}

asio::awaitable<pid_t> leave_a_grandchild(FakeContext& ctx) {
  const char* const script = "sleep 1000 >/dev/null & echo $!";
  ChildProcess child = ChildProcess::start(ctx, {.argv = {"/bin/sh", "-c", script}});
  const std::string output = co_await read_all(child, ctx);
  const ExitStatus status = co_await child.exited();
  EXPECT_TRUE(status.success());
  co_return static_cast<pid_t>(std::stol(output));
}

TEST_F(ChildProcessTest, EndsWhatIsLeftOfItsGroup) {
  const pid_t grandchild = test::run_on(io, leave_a_grandchild(ctx));

  test::await_death(grandchild);
  EXPECT_FALSE(test::is_running(grandchild));
}

asio::awaitable<pid_t> drop_after_first_byte(FakeContext& ctx, std::string script) {
  ChildProcess child = ChildProcess::start(ctx, {.argv = {"/bin/sh", "-c", script}});
  std::array<std::byte, 1> byte;
  EXPECT_EQ(co_await child.read_some(byte), 1U);
  co_return child.pid();
}

TEST_F(ChildProcessTest, DroppingItHandsItToTheReaperWithItsCpuTime) {
  const pid_t pid = test::run_on(io, drop_after_first_byte(ctx, "echo ready; sleep 1000"));

  EXPECT_FALSE(test::is_running(pid));
  EXPECT_EQ(ctx.children_collected, 1);
}

TEST_F(ChildProcessTest, AChildThatIgnoresTermIsKilledAfterTheGrace) {
  const pid_t pid = test::run_on(
      io, drop_after_first_byte(ctx, "trap '' TERM PIPE; echo ready; while :; do sleep 1; done"));

  EXPECT_FALSE(test::is_running(pid));
}

TEST_F(ChildProcessTest, CancellingAWaitGivesTheChildToTheReaper) {
  asio::cancellation_signal cancel;
  std::exception_ptr thrown;
  asio::co_spawn(io, run_child(ctx, {.argv = {"sleep", "1000"}}),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](std::exception_ptr failure, Ran) { thrown = failure; }));
  asio::post(io, [&] { cancel.emit(asio::cancellation_type::terminal); });

  io.run();

  EXPECT_EQ(to_error(thrown).code(), Errc::cancelled);
  EXPECT_EQ(ctx.children_collected, 1);
}

TEST_F(ChildProcessTest, DiesWithTheProcessThatStartedIt) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    // In a process of its own: start a child, tell its pid, and be killed.
    asio::io_context own;
    FakeContext context{own};
    const ChildProcess child = ChildProcess::start(context, {.argv = {"sleep", "1000"}});
    const pid_t pid = child.pid();
    if (write(ends[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    raise(SIGKILL);
  }
  pid_t pid = 0;
  ASSERT_EQ(read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  waitpid(parent, nullptr, 0);
  close(ends[0]);
  close(ends[1]);

  test::await_death(pid);
  EXPECT_FALSE(test::is_running(pid));
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator folder{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

TEST_F(ChildProcessTest, LeavesNoDescriptorOpenAfter200Children) {
  run({.argv = {"true"}});
  const std::size_t before = open_descriptors();

  for (int i = 0; i < 200; ++i) run({.argv = {"true"}});

  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ChildProcessTest, CarriesMegabytesUnchanged) {
  const Ran ran = run_shell("seq 1 500000");

  std::string expected;
  for (int i = 1; i <= 500000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(ran.output == expected);
}

}  // namespace
}  // namespace bp::stages
