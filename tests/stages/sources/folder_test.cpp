#include "stages/support/child_process.hpp"
#include "tests/support/fake_context.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/source_run.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <map>

namespace bp::stages {
namespace {

namespace fs = std::filesystem;
using test::make_source;
using test::run_source;
using test::SourceRun;
using test::TemporaryFolder;
using test::write_text;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr std::size_t megabyte = std::size_t{1} << 20;

asio::awaitable<ExitStatus> run_to_end(test::FakeContext& ctx, std::vector<std::string> argv) {
  ChildOptions options{.argv = std::move(argv)};
  const CommandResult result =
      co_await run_command(ctx, std::move(options), std::chrono::seconds{60}, megabyte);
  EXPECT_EQ(result.errors, "");
  co_return result.status;
}

/// Every file, folder and link below `folder`: its name and what a file holds.
std::map<std::string, std::string> tree(const fs::path& folder) {
  std::map<std::string, std::string> result;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    result[entry.path().lexically_relative(folder)] =
        entry.is_regular_file() ? test::read_text(entry.path()) : "(no file)";
  }
  return result;
}

class FolderSourceTest : public testing::Test {
 protected:
  ~FolderSourceTest() override { EXPECT_TRUE(test::children_of_ours().empty()); }

  /// What is in an archive, as tar unpacks it.
  std::map<std::string, std::string> unpack(const test::Bytes& archive) {
    const TemporaryFolder place;
    write_text(place / "archive", test::text_of(archive));
    fs::create_directory(place / "out");
    asio::io_context io;
    test::FakeContext ctx{io};
    const ExitStatus status = test::run_on(
        io, run_to_end(ctx, {"tar", "-x", "-f", place / "archive", "-C", place / "out"}));
    EXPECT_TRUE(status.success()) << status.text();
    return tree(place / "out");
  }
  SourceRun run(const std::string& more = "", std::size_t trip_at = 0,
                std::function<void()> trip = nullptr) {
    return run_source("folder", "path = '" + (folder / "data").string() + "'\n" + more, trip_at,
                      std::move(trip));
  }
  /// Takes a while to be read: far more than the pipe and the queues hold.
  void write_big(const std::string& name) {
    write_text(folder / name, "");
    fs::resize_file(folder / name, 32 * megabyte);
  }

  TemporaryFolder folder;
};

TEST_F(FolderSourceTest, StoresAFolderUnderItsOwnName) {
  write_text(folder / "data/a", "one");
  write_text(folder / "data/sub/b", "two");

  const SourceRun run = this->run();

  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_EQ(unpack(run.output), (std::map<std::string, std::string>{{"data", "(no file)"},
                                                                    {"data/a", "one"},
                                                                    {"data/sub", "(no file)"},
                                                                    {"data/sub/b", "two"}}));
}

TEST_F(FolderSourceTest, LeavesOutWhatEveryExcludeNames) {
  for (const char* const name : {"data/logs/x", "data/sub/logs/y", "data/tmp", "data/keep"}) {
    write_text(folder / name, "x");
  }

  const SourceRun run = this->run(R"(exclude = ["logs", "tmp"])");

  EXPECT_EQ(unpack(run.output),
            (std::map<std::string, std::string>{
                {"data", "(no file)"}, {"data/keep", "x"}, {"data/sub", "(no file)"}}));
}

TEST_F(FolderSourceTest, StoresSeveralPathsRelativeToTheFolderThatHoldsThemAll) {
  write_text(folder / "a/deep/x", "1");
  write_text(folder / "b/y", "2");
  const std::string base = folder.path();

  const SourceRun run =
      run_source("folder", fmt::format("paths = ['{0}/a/deep', '{0}/b/y']", base));

  EXPECT_EQ(unpack(run.output), (std::map<std::string, std::string>{{"a", "(no file)"},
                                                                    {"a/deep", "(no file)"},
                                                                    {"a/deep/x", "1"},
                                                                    {"b", "(no file)"},
                                                                    {"b/y", "2"}}));
}

TEST_F(FolderSourceTest, StoresTwentyEvilNamesAndRunsNoneOfThem) {
  const std::vector<std::string> names{"--checkpoint=1",
                                       "--checkpoint-action=exec=touch PWNED",
                                       "-rf",
                                       "-",
                                       "--",
                                       "-C",
                                       "--files-from=x",
                                       "two words",
                                       " leading",
                                       "trailing ",
                                       "new\nline",
                                       "tab\there",
                                       "'",
                                       "\"",
                                       "$(touch PWNED)",
                                       "`touch PWNED`",
                                       ";touch PWNED",
                                       "|cat",
                                       "*?[a]",
                                       "back\\slash",
                                       "\xff\xfe",
                                       "\xc3\xa4\xe2\x82\xac",
                                       "@x",
                                       "x;",
                                       "\x1b[2J"};
  ASSERT_GE(names.size(), 20U);
  for (const std::string& name : names) {
    write_text(folder / "data" / name, name);
    write_text(folder / "data/folder" / name / "inside", "inside " + name);
  }

  const SourceRun run = this->run();

  EXPECT_EQ(run.report.outcome, Outcome::stored);
  const auto stored = unpack(run.output);
  for (const std::string& name : names) {
    EXPECT_EQ(stored.at("data/" + name), name);
    EXPECT_EQ(stored.at("data/folder/" + name + "/inside"), "inside " + name);
  }
  EXPECT_EQ(stored.size(), 3 * names.size() + 2);
  EXPECT_FALSE(fs::exists("PWNED"));
  EXPECT_EQ(tree(folder.path()).size(), stored.size());
}

TEST_F(FolderSourceTest, AFolderThatLooksLikeAnOptionIsAName) {
  const std::string name = "--checkpoint-action=exec=touch PWNED";
  write_text(folder / name / "x", "1");

  const SourceRun run = run_source("folder", "path = '" + (folder / name).string() + "'");

  EXPECT_THAT(unpack(run.output), Contains(testing::Pair(name + "/x", "1")));
  EXPECT_FALSE(fs::exists("PWNED"));
}

TEST_F(FolderSourceTest, AFileThatGrowsWhileItIsReadIsAWarningThatNamesIt) {
  write_big("data/big");

  const SourceRun run = this->run("", megabyte, [&] {
    std::ofstream{folder / "data/big", std::ios::app} << "more";
  });

  EXPECT_EQ(run.report.outcome, Outcome::stored_with_warnings);
  EXPECT_EQ(run.report.warnings.at(0).text, "'tar' ended with exit status 1");
  EXPECT_THAT(run.report.warnings.at(0).lines, ElementsAre("data/big: file changed as we read it"));
}

TEST_F(FolderSourceTest, AFileThatShrinksWhileItIsReadIsAWarningThatSaysSo) {
  write_big("data/big");

  const SourceRun run =
      this->run("", megabyte, [&] { fs::resize_file(folder / "data/big", 16 * megabyte); });

  EXPECT_EQ(run.report.outcome, Outcome::stored_with_warnings);
  EXPECT_THAT(run.report.warnings.at(0).lines,
              Contains(HasSubstr("File shrank by 16777216 bytes; padding with zeros")));
}

TEST_F(FolderSourceTest, AFileThatIsRemovedBeforeItIsReadIsAWarning) {
  write_text(folder / "data/a", "");
  write_text(folder / "data/b", "");
  // tar reads a folder in the order in which the file system lists it.
  const fs::directory_iterator listed{folder / "data"};
  const fs::path first = listed->path();
  const fs::path second = folder / "data" / (first.filename() == "a" ? "b" : "a");
  fs::resize_file(first, 32 * megabyte);

  const SourceRun run = this->run("", megabyte, [&] { fs::remove(second); });

  EXPECT_EQ(run.report.outcome, Outcome::stored_with_warnings);
  EXPECT_THAT(run.report.warnings.at(0).lines,
              Contains(HasSubstr("File removed before we read it")));
}

TEST_F(FolderSourceTest, WithNoWarningExitAChangedFileIsAFailure) {
  write_big("data/big");

  const SourceRun run = this->run("warn_exit = []", megabyte, [&] {
    std::ofstream{folder / "data/big", std::ios::app} << "more";
  });

  EXPECT_EQ(run.report.outcome, Outcome::failed);
  EXPECT_EQ(run.cause(),
            "source: 'tar' failed with exit status 1: data/big: file changed as we read it");
}

TEST_F(FolderSourceTest, ATarThatIsKilledByAnySignalIsAFailure) {
  write_big("data/big");
  for (const int number : {SIGHUP, SIGTERM, SIGKILL}) {
    const SourceRun run = this->run("", megabyte, [number] {
      for (const pid_t child : test::children_of_ours()) kill(child, number);
    });
    EXPECT_EQ(run.report.outcome, Outcome::failed);
    EXPECT_EQ(run.commits, 0);
    EXPECT_THAT(run.cause(), HasSubstr(fmt::format("'tar' was killed by signal {}", number)));
  }
}

/// Runs the source as somebody who may not read everything; 0 when it failed as it should.
int run_as_nobody(const std::string& toml) {
  constexpr uid_t nobody = 65534;
  if (geteuid() == 0 && setuid(nobody) != 0) return 2;
  const SourceRun run = run_source("folder", toml);
  std::fputs(run.cause().c_str(), stderr);
  return run.report.outcome == Outcome::failed && run.commits == 0 ? 0 : 1;
}

TEST_F(FolderSourceTest, AnUnreadableFileIsAFailureThatNamesIt) {
  write_text(folder / "data/open", "x");
  write_text(folder / "data/secret", "x");
  chmod(folder.path().c_str(), 0755);
  chmod((folder / "data/secret").c_str(), 0);
  const std::string toml = "path = '" + (folder / "data").string() + "'";

  EXPECT_EXIT(_exit(run_as_nobody(toml)), testing::ExitedWithCode(0),
              "'tar' failed with exit status 2: data/secret: Cannot open: Permission denied");
}

TEST_F(FolderSourceTest, AFailingConsumerEndsTar) {
  write_big("data/big");

  const SourceRun run = this->run("", megabyte, [] {
    throw Error{Errc::destination, "no room left"};
  });

  EXPECT_EQ(run.cause(), "sink: no room left");
}

TEST_F(FolderSourceTest, WhatIsMissingIsRefusedBeforeTheStart) {
  const SourceRun run = this->run();

  EXPECT_FALSE(run.report.started);
  EXPECT_THAT(run.cause(), HasSubstr("data': No such file or directory"));
}

TEST_F(FolderSourceTest, ASymbolicLinkIsRefusedBecauseTheArchiveWouldHoldOnlyTheLink) {
  write_text(folder / "real/x", "1");
  fs::create_symlink(folder / "real", folder / "data");

  const SourceRun run = this->run();

  EXPECT_FALSE(run.report.started);
  EXPECT_THAT(run.cause(), HasSubstr("is a symbolic link"));
}

/// A sudo of our own in front of the real one, if there is any, until the end of the test.
class OtherSudo {
 public:
  OtherSudo(const TemporaryFolder& folder, const std::string& script) {
    write_text(folder / "bin/sudo", "#!/bin/sh\n" + script);
    chmod((folder / "bin/sudo").c_str(), 0755);
    setenv("PATH", ((folder / "bin").string() + ":" + path_).c_str(), 1);
  }
  OtherSudo(const OtherSudo&) = delete;
  OtherSudo& operator=(const OtherSudo&) = delete;
  ~OtherSudo() { setenv("PATH", path_.c_str(), 1); }

 private:
  std::string path_ = std::getenv("PATH");
};

TEST_F(FolderSourceTest, WithoutRightsSudoIsRefusedBeforeTheStart) {
  const OtherSudo sudo{folder, "echo \"sudo: not allowed: $*\" >&2\nexit 1\n"};
  write_text(folder / "data/x", "1");

  const SourceRun run = this->run("sudo = true");

  EXPECT_FALSE(run.report.started);
  EXPECT_THAT(run.cause(),
              HasSubstr("sudo does not let us run tar: sudo: not allowed: -n -l -- /"));
  EXPECT_THAT(std::string{run.report.cause->hint()}, HasSubstr("plan --sudoers"));
}

TEST_F(FolderSourceTest, WithSudoItStoresTheSameArchive) {
  const OtherSudo sudo{folder, "[ \"$2\" = -l ] && exit 0\nshift 2\nexec \"$@\"\n"};
  write_text(folder / "data/x", "1");

  EXPECT_THAT(unpack(this->run("sudo = true").output), Contains(testing::Pair("data/x", "1")));
}

}  // namespace
}  // namespace bp::stages
