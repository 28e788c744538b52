#include "tests/support/source_run.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace bp::stages {
namespace {

namespace fs = std::filesystem;
using test::run_source;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

std::string path_option(const std::string& path) {
  return "path = '" + path + "'";
}

class FileSourceTest : public testing::Test {
 protected:
  std::string write(std::size_t length) {
    test::write_text(folder / "file", test::text_of(test::pattern(length)));
    return folder / "file";
  }
  TemporaryFolder folder;
};

TEST_F(FileSourceTest, StoresTheFileAsItIs) {
  for (const std::size_t length : {0U, 1U, 16'384U, 16'385U, 1'000'000U}) {
    const auto run = run_source("file", path_option(write(length)));
    EXPECT_EQ(run.report.outcome, Outcome::stored);
    EXPECT_TRUE(run.output == test::pattern(length)) << length;
  }
}

TEST_F(FileSourceTest, FollowsASymbolicLink) {
  fs::create_symlink(write(1000), folder / "link");

  EXPECT_TRUE(run_source("file", path_option(folder / "link")).output == test::pattern(1000));
}

TEST_F(FileSourceTest, WarnsAboutAFileThatShrankWhileItWasRead) {
  const std::string path = write(1'000'000);

  const auto run =
      run_source("file", path_option(path), 100'000, [&] { fs::resize_file(path, 500'000); });

  EXPECT_EQ(run.report.outcome, Outcome::stored_with_warnings);
  EXPECT_THAT(run.report.warnings.at(0).text, EndsWith("changed while it was read"));
  EXPECT_THAT(run.report.warnings.at(0).lines,
              ElementsAre("1000000 bytes at the beginning, 500000 at the end, 500000 stored"));
}

TEST_F(FileSourceTest, WarnsAboutAFileThatGrewWhileItWasRead) {
  const std::string path = write(1'000'000);

  const auto run = run_source("file", path_option(path), 100'000, [&] {
    std::ofstream{path, std::ios::app} << "more";
  });

  EXPECT_EQ(run.report.outcome, Outcome::stored_with_warnings);
  EXPECT_EQ(run.output.size(), 1'000'004U);
}

TEST_F(FileSourceTest, RefusesWhatIsNoFileBeforeTheStart) {
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);

  for (const fs::path& path : {folder / "fifo", folder / "missing", folder.path()}) {
    const auto run = run_source("file", path_option(path.string()));
    EXPECT_FALSE(run.report.started) << path;
    EXPECT_THAT(run.cause(), HasSubstr("unable to read '" + path.string() + "'"));
  }
}

}  // namespace
}  // namespace bp::stages
