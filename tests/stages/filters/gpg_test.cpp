// The gpg filter against the real gpg, against one that is killed, and against impostors.
#include "stages/filters/gpg.hpp"

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

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace bp::stages {

void register_filter_gpg(Registry& registry);

namespace {

using test::Bytes;
using test::FilterRun;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::size_t chunk = 64 << 10;
const std::string passphrase = "correct horse battery staple";

std::unique_ptr<Filter> filter_with(const std::string& secret = passphrase,
                                    GpgOptions options = {}) {
  config::SecretRef reference{config::SecretRef::Literal{config::Secret{secret}}, "'passphrase'"};
  return gpg_filter(std::move(options), std::move(reference), nullptr);
}

Bytes decrypted(const Bytes& encrypted, const std::string& secret = passphrase) {
  const test::TemporaryFolder home{test::short_place};
  test::write_text(home / "pass", secret);
  const auto result = test::pipe_through("gpg --homedir " + home.path().string() +
                                             " --batch --quiet --pinentry-mode loopback "
                                             "--passphrase-file " +
                                             (home / "pass").string() + " -d",
                                         encrypted);
  EXPECT_EQ(result.status, 0);
  return result.output;
}

/// Children of ours that have not been waited for.
bool any_child_left() {
  return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD;
}

class GpgTest : public ::testing::Test {
 protected:
  GpgTest() {
    std::signal(SIGPIPE, SIG_IGN);
    ::setenv("RUNTIME_DIRECTORY", homes.path().c_str(), 1);
  }
  ~GpgTest() override { ::unsetenv("RUNTIME_DIRECTORY"); }
  void TearDown() override {
    EXPECT_FALSE(any_child_left());
    EXPECT_TRUE(std::filesystem::is_empty(homes.path()));
  }

  const test::TemporaryFolder homes{test::short_place};
};

TEST_F(GpgTest, IsOpenedByPlainGpgWhateverTheLength) {
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1, std::size_t{5'000'000}}) {
    const FilterRun run = test::run_filter(filter_with(), test::pattern(length), chunk);
    ASSERT_EQ(run.report.outcome, Outcome::stored)
        << length << ": " << (run.report.cause ? run.report.cause->what() : "");
    EXPECT_EQ(decrypted(run.output), test::pattern(length)) << length;
  }
}

TEST_F(GpgTest, UsesAes256AndAFullStretchedKeyAndDoesNotCompress) {
  const FilterRun run = test::run_filter(filter_with(), Bytes(100'000), chunk);
  const test::TemporaryFolder home{test::short_place};
  const auto listed = test::pipe_through("gpg --homedir " + home.path().string() +
                                             " --batch --pinentry-mode loopback --passphrase '" +
                                             passphrase + "' --list-packets",
                                         run.output);
  const std::string text{reinterpret_cast<const char*>(listed.output.data()), listed.output.size()};
  EXPECT_THAT(text, HasSubstr("cipher 9, aead 0,s2k 3, hash 10"));  // AES-256, iterated, SHA-512
  EXPECT_THAT(text, HasSubstr("count 65011712"));
  EXPECT_THAT(text, HasSubstr("mdc_method: 2"));
  EXPECT_THAT(text, Not(HasSubstr("compressed packet")));
}

TEST_F(GpgTest, RefusesPassphrasesThatGpgWouldSilentlyChange) {
  struct Case {
    std::string secret;
    const char* why;
  };
  const std::array cases{Case{"two\nlines of passphrase", "has a control character"},
                         Case{"ends with a line break\n", "has a control character"},
                         Case{"a carriage\rreturn inside", "has a control character"},
                         Case{std::string{"a NUL inside\0of it", 18}, "has a control character"},
                         Case{"a delete inside of it\x7F", "has a control character"},
                         Case{std::string(256, 'x'), "has more than 255 bytes"},
                         Case{"", "is empty"}};
  for (const Case& wrong : cases) {
    const FilterRun run = test::run_filter(filter_with(wrong.secret), test::pattern(10), chunk);
    EXPECT_FALSE(run.report.started) << wrong.why;
    ASSERT_TRUE(run.report.cause) << wrong.why;
    EXPECT_EQ(run.report.cause->code(), Errc::config);
    EXPECT_THAT(run.report.cause->what(), HasSubstr(wrong.why));
  }
}

TEST_F(GpgTest, TakesTheLongestPassphraseAndWarnsOfAShortOne) {
  const std::string longest(255, 'p');
  const FilterRun run = test::run_filter(filter_with(longest), test::pattern(10), chunk);
  ASSERT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_EQ(decrypted(run.output, longest), test::pattern(10));

  const FilterRun weak = test::run_filter(filter_with("short"), test::pattern(10), chunk);
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
    const auto [report, plan] =
        test::run_filter_between(std::make_unique<test::GpgKillingSource>(before, i % 2 == 0),
                                 filter_with(), std::make_unique<test::MemorySink>(stored), chunk);
    ASSERT_EQ(report.outcome, Outcome::failed) << i;
    EXPECT_EQ(stored->commits, 0) << i;
    EXPECT_EQ(stored->aborts, 1) << i;
    ASSERT_TRUE(report.cause) << i;
    EXPECT_THAT(report.cause->what(), StartsWith("filter: gpg was killed by signal 9 (Killed)"))
        << i;
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{5}) << i;
  }
}

// ---- what gpg gets to see, and what it leaves

/// Gives some bytes, has a look around while gpg is at work, and gives the rest.
class LookingSource final : public Source {
 public:
  explicit LookingSource(std::function<void(pid_t)> look) : look_{std::move(look)} {}
  asio::awaitable<void> produce(Outlet& out, StageContext&) override {
    const Bytes half = test::pattern(1'000'000);
    co_await out.write(half);
    const std::optional<pid_t> gpg = test::gpg_child();
    EXPECT_TRUE(gpg);
    if (gpg) look_(*gpg);
    co_await out.write(half);
  }

 private:
  std::function<void(pid_t)> look_;
};

TEST_F(GpgTest, ShowsItsSecretInNoArgumentAndNoEnvironmentAndWritesNoFile) {
  ::setenv("BP_TEST_PASSPHRASE", "canary-of-the-coal-mine", 1);
  config::SecretRef secret{config::SecretRef::Environment{
                               "BP_TEST_PASSPHRASE", config::Secret{"canary-of-the-coal-mine"}},
                           "'passphrase'"};
  std::string arguments;
  std::string environment;
  std::vector<std::string> descriptors;
  std::ptrdiff_t files_in_home = 0;
  const auto look = [&](pid_t gpg) {
    const std::filesystem::path process{"/proc/" + std::to_string(gpg)};
    arguments = test::read_text(process / "cmdline");
    environment = test::read_text(process / "environ");
    for (const auto& entry : std::filesystem::directory_iterator{process / "fd"}) {
      descriptors.push_back(entry.path().filename());
    }
    files_in_home = std::distance(std::filesystem::recursive_directory_iterator{homes.path()}, {});
  };
  auto stored = std::make_shared<test::Stored>();

  const auto [report, plan] = test::run_filter_between(
      std::make_unique<LookingSource>(look), gpg_filter({}, std::move(secret), nullptr),
      std::make_unique<test::MemorySink>(stored), chunk);

  ::unsetenv("BP_TEST_PASSPHRASE");
  ASSERT_EQ(report.outcome, Outcome::stored);
  EXPECT_THAT(arguments, HasSubstr("--passphrase-fd"));
  EXPECT_THAT(environment, HasSubstr("PATH="));
  EXPECT_THAT(arguments, Not(HasSubstr("canary")));
  EXPECT_THAT(environment, Not(HasSubstr("canary")));
  EXPECT_THAT(descriptors, Each(AnyOf("0", "1", "2", "3", "4")));
  EXPECT_EQ(files_in_home, 1);  // the home itself
}

TEST_F(GpgTest, HoldsNoMoreMemoryThanItDeclared) {
  const FilterRun run = test::run_filter(filter_with(), test::pattern(5'000'000), chunk);
  ASSERT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_LE(run.report.peak_chunks, run.plan.chunks);
  EXPECT_TRUE(run.report.warnings.empty());
}

// ---- the neighbours fail, or somebody stops the run

/// Gives a megabyte and fails as a dump would.
class DyingSource final : public Source {
 public:
  asio::awaitable<void> produce(Outlet& out, StageContext&) override {
    const Bytes some = test::pattern(1'000'000);
    co_await out.write(some);
    throw Error{Errc::source, "the dump died"};
  }
};

TEST_F(GpgTest, LeavesTheBlameWithASourceThatFailed) {
  auto stored = std::make_shared<test::Stored>();
  const auto [report, plan] =
      test::run_filter_between(std::make_unique<DyingSource>(), filter_with(),
                               std::make_unique<test::MemorySink>(stored), chunk);
  ASSERT_TRUE(report.cause);
  EXPECT_STREQ(report.cause->what(), "source: the dump died");
  EXPECT_TRUE(report.secondary.empty());
  EXPECT_EQ(stored->commits, 0);
}

TEST_F(GpgTest, LeavesTheBlameWithASinkThatFailed) {
  const auto [report, plan] =
      test::run_filter_between(std::make_unique<test::EndlessSource>(test::pattern(100'000)),
                               filter_with(), std::make_unique<test::FullSink>(3), chunk);
  ASSERT_TRUE(report.cause);
  EXPECT_STREQ(report.cause->what(), "sink: no room left");
  EXPECT_TRUE(report.secondary.empty());
}

/// Gives some bytes, asks for the run's stop, and says nothing more.
class StoppingSource final : public Source {
 public:
  explicit StoppingSource(std::stop_source stop) : stop_{std::move(stop)} {}
  asio::awaitable<void> produce(Outlet& out, StageContext& ctx) override {
    const Bytes some = test::pattern(1'000'000);
    co_await out.write(some);
    stop_.request_stop();
    asio::steady_timer never{ctx.io(), asio::steady_timer::time_point::max()};
    co_await never.async_wait(asio::use_awaitable);
  }

 private:
  std::stop_source stop_;
};

TEST_F(GpgTest, EndsWithAStoppedRunWithoutAComplaintOfItsOwn) {
  std::stop_source stop;
  auto stored = std::make_shared<test::Stored>();
  GraphBuilder builder;
  const auto from = builder.add("source", std::make_unique<StoppingSource>(stop));
  const auto through = builder.add("filter", filter_with());
  const auto to = builder.add("sink", std::make_unique<test::MemorySink>(stored));
  builder.connect(from, through);
  builder.connect(through, to);
  Graph graph = std::move(builder).build();
  MemoryPlan plan = plan_memory(graph, chunk, test::unlimited_memory);
  RunOptions options;
  options.stop = stop.get_token();

  const SourceReport report = test::run(bp::run(std::move(graph), std::move(plan), options));

  EXPECT_EQ(report.outcome, Outcome::cancelled);
  EXPECT_TRUE(report.secondary.empty());
  EXPECT_EQ(stored->commits, 0);
}

// ---- impostors: each breaks one of the conditions

class ImpostorTest : public GpgTest {
 protected:
  /// Does as gpg at preflight, where nothing comes from stdin, and then what `body` says. In it,
  /// "$@" are gpg's arguments.
  FilterRun run_with(const std::string& body, std::size_t length = 200'000) {
    const std::string script = program(
        "case \"$*\" in *--version*) exec gpg --version;; esac\n"
        "test \"$(readlink /proc/$$/fd/0)\" = /dev/null && exec gpg \"$@\"\n" +
        body);
    return run_program(script, length);
  }
  FilterRun run_program(const std::string& binary, std::size_t length = 200'000) {
    return test::run_filter(filter_with(passphrase, {.binary = binary, .idle_limit = idle_limit}),
                            test::pattern(length), chunk);
  }
  std::string program(const std::string& body) {
    const std::filesystem::path script = folder / "gpg";
    test::write_text(script, "#!/bin/sh\n" + body + "\n");
    std::filesystem::permissions(script, std::filesystem::perms{0700});
    return script.string();
  }
  static std::string cause(const FilterRun& run) {
    EXPECT_EQ(run.report.outcome, Outcome::failed);
    EXPECT_TRUE(run.output.empty());
    return run.report.cause ? run.report.cause->what() : "none";
  }

  std::chrono::milliseconds idle_limit = std::chrono::minutes{1};
  test::TemporaryFolder folder{test::short_place};
};

TEST_F(ImpostorTest, PassesWhenItDoesAsGpgDoes) {
  EXPECT_EQ(run_with("exec gpg \"$@\"").report.outcome, Outcome::stored);
}

TEST_F(ImpostorTest, FailsWithoutTheConfirmation) {
  EXPECT_THAT(cause(run_with("exec gpg \"$@\" 4>/dev/null")),
              HasSubstr("gpg did not confirm the end of the encryption"));
}

TEST_F(ImpostorTest, FailsWhenTheOutputIsCutOff) {
  EXPECT_THAT(cause(run_with("gpg \"$@\" | { head -c 150000; cat >/dev/null; }")),
              HasSubstr("gpg ended its output in the middle of an OpenPGP packet"));
}

TEST_F(ImpostorTest, FailsWithoutAnyOutput) {
  EXPECT_THAT(cause(run_with("exec gpg \"$@\" >/dev/null")),
              HasSubstr("gpg ended its output in the middle of an OpenPGP packet"));
}

TEST_F(ImpostorTest, FailsWhenOnlyTheBeginningIsEncrypted) {
  EXPECT_THAT(cause(run_with("{ head -c 150000; cat >/dev/null; } | gpg \"$@\"")),
              HasSubstr("encrypted bytes for 200000 bytes"));
}

TEST_F(ImpostorTest, FailsWhenSomethingFollowsTheMessage) {
  EXPECT_THAT(cause(run_with("gpg \"$@\"; echo Goodbye")), HasSubstr("follows the encrypted"));
}

TEST_F(ImpostorTest, FailsWhenItDoesNotEncrypt) {
  EXPECT_THAT(cause(run_with("cat; echo '[GNUPG:] END_ENCRYPTION' >&4")), HasSubstr("OpenPGP"));
}

TEST_F(ImpostorTest, FailsByTheExitStatusAfterPerfectOutput) {
  EXPECT_THAT(cause(run_with("gpg \"$@\"; echo 'gpg: no luck' >&2; exit 1")),
              HasSubstr("gpg failed with exit status 1: gpg: no luck"));
}

TEST_F(ImpostorTest, FailsByASignalAfterPerfectOutput) {
  EXPECT_THAT(cause(run_with("gpg \"$@\"; kill -KILL $$")),
              HasSubstr("gpg was killed by signal 9 (Killed)"));
}

TEST_F(ImpostorTest, FailsWhenTheInputWasNotReadToItsEnd) {
  EXPECT_THAT(cause(run_with("head -c 100 | gpg \"$@\"", 8'000'000)),
              HasSubstr("gpg ended before it had read everything"));
}

TEST_F(ImpostorTest, IsGivenUpWhenItNeverReads) {
  idle_limit = std::chrono::milliseconds{200};
  EXPECT_THAT(cause(run_with("exec sleep 1000", 8'000'000)), HasSubstr("no output for 200ms"));
}

TEST_F(ImpostorTest, IsGivenUpWhenItReadsAndNeverEnds) {
  idle_limit = std::chrono::milliseconds{200};
  EXPECT_THAT(cause(run_with("cat >/dev/null; exec sleep 1000")), HasSubstr("no output for 200ms"));
}

TEST_F(ImpostorTest, IsGivenUpWhenItClosesItsOutputAndStays) {
  idle_limit = std::chrono::milliseconds{200};
  EXPECT_THAT(cause(run_with("exec >&-; cat >/dev/null; exec sleep 1000")),
              HasSubstr("ended its output and then did not exit for 200ms"));
}

TEST_F(ImpostorTest, IsRefusedAtPreflightWhenItTellsNoVersion) {
  const FilterRun run = run_program(program("exit 0"));
  EXPECT_FALSE(run.report.started);
  EXPECT_THAT(cause(run), HasSubstr("is no usable gpg: "));
}

TEST_F(ImpostorTest, IsRefusedAtPreflightWhenItHasAVersionAndDoesNotEncrypt) {
  const FilterRun run = run_program("/bin/true");
  EXPECT_FALSE(run.report.started);
  EXPECT_THAT(cause(run), HasSubstr("encrypt nothing as a test: gpg did not confirm"));
}

// ---- in a job file

TEST_F(GpgTest, PrefersTheSourcesPassphraseToItsOwn) {
  Registry registry;
  register_filter_gpg(registry);
  config::Table table;
  config::Value own{std::string{"the filter's own passphrase"}, {}};
  table.entries.push_back(
      {"passphrase", {}, std::make_shared<const config::Value>(std::move(own))});
  config::Diagnostics diagnostics;
  config::OptionReader options{table, "filter.gpg", diagnostics, true};
  const FilterType type = (*registry.filter("gpg"))(options);
  options.finish();
  diagnostics.throw_if_any();
  BuildContext context;
  context.passphrase.emplace(
      config::SecretRef::Literal{config::Secret{"the passphrase of the source"}}, "'passphrase'");

  const FilterRun run = test::run_filter(type.make(context), test::pattern(100), chunk);

  EXPECT_TRUE(type.encrypts && type.takes_passphrase && type.has_passphrase);
  EXPECT_EQ(type.extension, ".gpg");
  EXPECT_EQ(decrypted(run.output, "the passphrase of the source"), test::pattern(100));
}

}  // namespace
}  // namespace bp::stages
