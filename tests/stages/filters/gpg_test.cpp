// The gpg filter against the real gpg, against one that is killed, and against impostors.
#include "config/options.hpp"
#include "engine/run.hpp"
#include "stages/registry.hpp"
#include "tests/support/command.hpp"
#include "tests/support/filter_run.hpp"
#include "tests/support/gpg_child.hpp"
#include "tests/support/memory_stages.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <sstream>

namespace bp::stages {

void register_filter_gpg(Registry& registry);

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using test::Bytes;
using test::FilterRun;

constexpr std::size_t chunk = 64 << 10;
constexpr const char* passphrase = "correct horse battery staple";

std::unique_ptr<Filter> gpg_filter(const std::string& secret = passphrase,
                                   const std::string& binary = "gpg") {
  Registry registry;
  register_filter_gpg(registry);
  config::Table table;
  config::Diagnostics diagnostics;
  const auto add = [&table](std::string key, std::string value) {
    table.entries.push_back({std::move(key), {}, std::make_shared<const config::Value>(
                                                     config::Value{std::move(value), {}})});
  };
  add("passphrase", secret);
  add("binary", binary);
  config::OptionReader options{table, "filter.gpg", diagnostics, true};
  const FilterType type = (*registry.filter("gpg"))(options);
  diagnostics.throw_if_any();
  return type.make(BuildContext{});
}

Bytes decrypted(const Bytes& encrypted, const std::string& secret = passphrase) {
  const test::TemporaryFolder home;
  test::write_text(home / "pass", secret);
  const auto result = test::pipe_through(
      "gpg --homedir " + home.path().string() + " --batch --quiet --pinentry-mode loopback "
      "--passphrase-file " + (home / "pass").string() + " -d", encrypted);
  EXPECT_EQ(result.status, 0);
  return result.output;
}

/// Children of ours that have not been waited for.
bool any_child_left() { return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

class GpgTest : public ::testing::Test {
 protected:
  GpgTest() {
    std::signal(SIGPIPE, SIG_IGN);
    ::unsetenv("XDG_RUNTIME_DIR");
    ::unsetenv("RUNTIME_DIRECTORY");
  }
  void TearDown() override {
    EXPECT_FALSE(any_child_left());
    EXPECT_EQ(test::gpg_homes_left(), std::vector<std::string>{});
  }
};

TEST_F(GpgTest, IsOpenedByPlainGpgWhateverTheLength) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1,
                                   std::size_t{5'000'000}}) {
    const FilterRun run = test::run_filter(gpg_filter(), test::pattern(length), chunk);
    ASSERT_EQ(run.report.outcome, Outcome::stored)
        << length << ": " << (run.report.cause ? run.report.cause->what() : "");
    EXPECT_EQ(decrypted(run.output), test::pattern(length)) << length;
  }
}

TEST_F(GpgTest, UsesAes256AndAFullStretchedKeyAndDoesNotCompress) {
  const FilterRun run = test::run_filter(gpg_filter(), Bytes(100'000), chunk);
  const test::TemporaryFolder home;
  const auto listed = test::pipe_through(
      "gpg --homedir " + home.path().string() + " --batch --pinentry-mode loopback --passphrase '" +
          std::string{passphrase} + "' --list-packets", run.output);
  const std::string text{reinterpret_cast<const char*>(listed.output.data()), listed.output.size()};
  EXPECT_THAT(text, HasSubstr("cipher 9, aead 0,s2k 3, hash 10"));  // AES-256, iterated, SHA-512
  EXPECT_THAT(text, HasSubstr("count 65011712"));
  EXPECT_THAT(text, HasSubstr("mdc_method: 2"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("compressed packet")));
}

TEST_F(GpgTest, RefusesPassphrasesThatGpgWouldSilentlyChange) {
  const auto refusal = [](const std::string& secret) {
    const FilterRun run = test::run_filter(gpg_filter(secret), test::pattern(10), chunk);
    EXPECT_FALSE(run.report.started);
    return std::string{run.report.cause ? run.report.cause->what() : "accepted"};
  };
  EXPECT_THAT(refusal("two\nlines of passphrase"), HasSubstr("has a control character"));
  EXPECT_THAT(refusal(std::string(256, 'x')), HasSubstr("has more than 255 bytes"));
}

TEST_F(GpgTest, TakesTheLongestPassphraseAndWarnsOfAShortOne) {
  const std::string longest(255, 'p');
  const FilterRun run = test::run_filter(gpg_filter(longest), test::pattern(10), chunk);
  ASSERT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_EQ(decrypted(run.output, longest), test::pattern(10));

  const FilterRun weak = test::run_filter(gpg_filter("short"), test::pattern(10), chunk);
  ASSERT_EQ(weak.report.warnings.size(), 1U);
  EXPECT_THAT(weak.report.warnings[0].text, HasSubstr("fewer than 16 bytes"));
}

// ---- death of gpg

TEST_F(GpgTest, FailsAtOnceWhereverGpgIsKilledAlsoUnderASilentSource) {
  const char* rounds = std::getenv("BACKUP_PIPE_GPG_KILLS");
  const int kills = rounds == nullptr ? 40 : std::atoi(rounds);
  for (int i = 0; i < kills; ++i) {
    const auto before = static_cast<std::size_t>(i) * 77'777 % 2'000'000;
    auto stored = std::make_shared<test::Stored>();
    const auto began = std::chrono::steady_clock::now();
    const auto [report, plan] = test::run_filter_between(
        std::make_unique<test::GpgKillingSource>(before, i % 2 == 0), gpg_filter(),
        std::make_unique<test::MemorySink>(stored), chunk);
    ASSERT_EQ(report.outcome, Outcome::failed) << i;
    EXPECT_EQ(stored->commits, 0) << i;
    EXPECT_EQ(stored->aborts, 1) << i;
    ASSERT_TRUE(report.cause) << i;
    EXPECT_THAT(report.cause->what(), StartsWith("filter: gpg was killed by signal 9 (Killed)")) << i;
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{5}) << i;
  }
}

// ---- impostors: each breaks one of the five conditions

class ImpostorTest : public GpgTest {
 protected:
  /// A script in gpg's place; "$STATUS" is the status descriptor.
  FilterRun run_with(const std::string& body, Bytes input = test::pattern(200'000)) {
    const std::filesystem::path script = folder / "gpg";
    test::write_text(script,
                     "#!/bin/sh\n"
                     "case \"$*\" in *--version*) exec /usr/bin/gpg --version;; esac\n"
                     "STATUS=4\n" + body + "\n");
    std::filesystem::permissions(script, std::filesystem::perms{0700});
    return test::run_filter(gpg_filter(passphrase, script.string()), std::move(input), chunk);
  }
  static std::string cause(const FilterRun& run) {
    EXPECT_EQ(run.report.outcome, Outcome::failed);
    return run.report.cause ? run.report.cause->what() : "none";
  }

  const std::string end = "echo '[GNUPG:] END_ENCRYPTION' >&4; ";
  const std::string good_output = "printf '\\322\\003abc'; ";  // a whole packet 18 of three bytes
  test::TemporaryFolder folder;
};

TEST_F(ImpostorTest, PassesWhenEveryConditionHolds) {
  EXPECT_EQ(run_with("cat >/dev/null; " + good_output + end + "exit 0").report.outcome, Outcome::stored);
}

TEST_F(ImpostorTest, FailsWithoutTheConfirmation) {
  EXPECT_THAT(cause(run_with("cat >/dev/null; " + good_output + "exit 0")),
              HasSubstr("gpg did not confirm the end of the encryption"));
}

TEST_F(ImpostorTest, FailsWhenTheOutputIsCutOff) {
  EXPECT_THAT(cause(run_with("cat >/dev/null; printf '\\322\\003ab'; " + end + "exit 0")),
              HasSubstr("ends in the middle of an OpenPGP packet"));
}

TEST_F(ImpostorTest, FailsWithoutAnyOutput) {
  EXPECT_THAT(cause(run_with("cat >/dev/null; " + end + "exit 0")),
              HasSubstr("ends in the middle of an OpenPGP packet"));
}

TEST_F(ImpostorTest, FailsByTheExitStatusAfterPerfectOutput) {
  EXPECT_THAT(cause(run_with("cat >/dev/null; " + good_output + end + "echo 'gpg: no luck' >&2; exit 2")),
              HasSubstr("gpg failed with exit status 2: gpg: no luck"));
}

TEST_F(ImpostorTest, FailsByASignalAfterPerfectOutput) {
  EXPECT_THAT(cause(run_with("cat >/dev/null; " + good_output + end + "kill -TERM $$")),
              HasSubstr("gpg was killed by signal 15"));
}

TEST_F(ImpostorTest, FailsWhenTheInputWasNotReadToItsEnd) {
  EXPECT_THAT(cause(run_with(good_output + end + "exit 0", test::pattern(8'000'000))),
              HasSubstr("gpg ended before it had read everything"));
}

TEST_F(ImpostorTest, IsRefusedAtPreflightWhenItIsNoGpg) {
  const std::filesystem::path silent = folder / "silent";
  test::write_text(silent, "#!/bin/sh\nexit 0\n");
  std::filesystem::permissions(silent, std::filesystem::perms{0700});
  const FilterRun run = test::run_filter(gpg_filter(passphrase, silent.string()), test::pattern(1), chunk);
  EXPECT_FALSE(run.report.started);
  EXPECT_THAT(cause(run), HasSubstr("is no usable gpg: "));
}

TEST_F(ImpostorTest, SeesThePassphraseNeitherInItsArgumentsNorInItsEnvironment) {
  const FilterRun run = run_with("tr '\\0' '\\n' </proc/$$/cmdline >" + (folder / "args").string() +
                                 "; tr '\\0' '\\n' </proc/$$/environ >" + (folder / "env").string() +
                                 "; cat <&3 >" + (folder / "secret").string() +
                                 "; ls -l /proc/$$/fd >" + (folder / "fds").string() +
                                 "; cat >/dev/null; " + good_output + end + "exit 0");
  ASSERT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_EQ(test::read_text(folder / "secret"), std::string{passphrase} + "\n");
  EXPECT_THAT(test::read_text(folder / "args"), ::testing::Not(HasSubstr("horse")));
  EXPECT_THAT(test::read_text(folder / "env"), ::testing::Not(HasSubstr("horse")));
}

}  // namespace
}  // namespace bp::stages
