#include "stages/sources/tar.hpp"

#include "tests/support/source_run.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace bp::stages {
namespace {

using test::make_source;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(TarArgv, NamesMembersFromTheFolderAboveThem) {
  EXPECT_THAT(tar_argv({.paths = {"/srv/data"}, .exclude = {"logs", "-x"}}, "tar"),
              ElementsAre("tar", "--create", "--file=-", "--no-unquote", "--xattrs", "--acls",
                          "--exclude=logs", "--exclude=-x", "--directory=/srv", "--", "data"));
}

TEST(TarArgv, SaysWhatItWasAskedFor) {
  const TarContent content{
      .paths = {"/a"}, .exclude = {}, .one_file_system = true, .xattrs = false, .sparse = true};

  EXPECT_THAT(tar_argv(content, "/bin/tar"),
              ElementsAre("/bin/tar", "--create", "--file=-", "--no-unquote", "--one-file-system",
                          "--sparse", "--directory=/", "--", "a"));
}

TEST(TarArgv, KnowsTheFolderThatHoldsAllPaths) {
  const auto tail = [](std::vector<std::string> paths) {
    const auto argv = tar_argv({.paths = std::move(paths), .exclude = {}, .xattrs = false}, "tar");
    return std::vector<std::string>(argv.begin() + 4, argv.end());
  };

  EXPECT_THAT(tail({"/"}), ElementsAre("--directory=/", "--", "."));
  EXPECT_THAT(tail({"/a/b/c", "/a/b/d"}), ElementsAre("--directory=/a/b", "--", "c", "d"));
  EXPECT_THAT(tail({"/a/b/c", "/a/bb"}), ElementsAre("--directory=/a", "--", "b/c", "bb"));
  EXPECT_THAT(tail({"/etc", "/srv/x"}), ElementsAre("--directory=/", "--", "etc", "srv/x"));
}

TEST(CleanPath, DropsWhatHasNoMeaningAndRefusesWhatDepends) {
  EXPECT_EQ(clean_path("/srv/data/"), "/srv/data");
  EXPECT_EQ(clean_path("//srv/./data//"), "/srv/data");
  EXPECT_EQ(clean_path("/"), "/");
  EXPECT_EQ(clean_path("/srv/../etc"), std::nullopt);
  EXPECT_EQ(clean_path("data"), std::nullopt);
}

TEST(SelfExclusion, IsFoundWhereverThePatternWouldHit) {
  const auto hits = [](const std::string& path, const std::string& pattern) {
    return self_excluding_pattern({.paths = {path}, .exclude = {"other", pattern}}).has_value();
  };

  EXPECT_TRUE(hits("/var/logs", "logs"));
  EXPECT_TRUE(hits("/var/logs", "*"));
  EXPECT_TRUE(hits("/var/logs", "l?gs"));
  EXPECT_FALSE(hits("/var/logs", "logs/old"));
  EXPECT_FALSE(hits("/var/logs", "var"));  // not part of the member's name
}

TEST(FolderOptions, RefuseWhatCouldNotBeMeant) {
  const auto problems = [](const std::string& toml) {
    return make_source("folder", toml).problems;
  };

  EXPECT_EQ(problems("path = '/srv/data/'\nexclude = ['tmp']"), "");
  EXPECT_THAT(problems("path = '/a/../b'"), HasSubstr("contains '..'"));
  EXPECT_THAT(problems("path = '/a'\npaths = ['/b']"), HasSubstr("exclude each other"));
  EXPECT_THAT(problems("paths = ['/a/b', '/a']"), HasSubstr("'/a/b' is inside '/a'"));
  EXPECT_THAT(problems("paths = ['/a', '/a']"), HasSubstr("is inside"));
  EXPECT_THAT(problems("paths = []"), HasSubstr("'paths' is empty"));
  EXPECT_THAT(problems(""), HasSubstr("'path'"));
  EXPECT_THAT(problems("path = '/srv/logs'\nexclude = ['logs']"),
              HasSubstr("'logs' excludes the folder itself"));
}

TEST(FolderOptions, SudoRunsTarByItsPathAndSaysTheExactCommand) {
  const auto type = make_source("folder", "path = '/srv/data'\nsudo = true").type;

  ASSERT_GE(type.argv.size(), 4U);
  EXPECT_THAT(std::vector<std::string>(type.argv.begin(), type.argv.begin() + 3),
              ElementsAre("sudo", "-n", "--"));
  EXPECT_EQ(std::vector<std::string>(type.argv.begin() + 3, type.argv.end()), type.sudo_argv);
  EXPECT_EQ(type.sudo_argv.front().front(), '/');
}

TEST(TarSource, AnArchiveWithoutItsEndMarkIsAFailure) {
  const test::TemporaryFolder folder;
  for (const std::string script : {"head -c 10240 /dev/zero | tr '\\000' x",
                                   "head -c 1000 /dev/zero", "head -c 20479 /dev/zero; echo"}) {
    ProcessOptions options;
    options.child.argv = {"/bin/sh", "-c", script};
    const auto run = test::run_source(std::make_unique<TarSource>(
        TarContent{.paths = {folder.path()}, .exclude = {}}, std::move(options)));
    EXPECT_EQ(run.cause(), "source: tar ended well, but its archive has no end mark") << script;
  }
}

TEST(TarSource, SeesTheEndMarkAcrossShortChunks) {
  const test::TemporaryFolder folder;
  // 16 KiB chunks: the last one is 100 bytes long.
  ProcessOptions options;
  options.child.argv = {"/bin/sh", "-c", "head -c 15460 /dev/urandom; head -c 1024 /dev/zero"};

  const auto run = test::run_source(std::make_unique<TarSource>(
      TarContent{.paths = {folder.path()}, .exclude = {}}, std::move(options)));

  EXPECT_EQ(run.report.outcome, Outcome::stored);
}

}  // namespace
}  // namespace bp::stages
