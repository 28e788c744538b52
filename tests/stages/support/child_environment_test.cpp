#include "stages/support/child_environment.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>

namespace bp::stages {
namespace {

using testing::Contains;
using testing::Not;
using testing::StartsWith;

/// Another PATH, until the end of the test.
class OtherPath {
 public:
  explicit OtherPath(const std::string& path) { setenv("PATH", path.c_str(), 1); }
  OtherPath(const OtherPath&) = delete;
  OtherPath& operator=(const OtherPath&) = delete;
  ~OtherPath() { setenv("PATH", saved_.c_str(), 1); }

 private:
  std::string saved_ = std::getenv("PATH");
};

class FindProgramTest : public testing::Test {
 protected:
  std::string program(const std::string& name, mode_t mode) {
    test::write_text(folder / name, "#!/bin/sh\n");
    chmod((folder / name).c_str(), mode);
    return folder / name;
  }
  test::TemporaryFolder folder;
};

TEST_F(FindProgramTest, TakesTheFirstOneInPathThatMayBeRun) {
  program("one/tool", 0644);
  const std::string second = program("two/tool", 0755);
  program("three/tool", 0755);
  const std::string base = folder.path();
  const OtherPath path{base + "/one:" + base + "/two:" + base + "/three"};

  EXPECT_EQ(find_program("tool"), second);
}

TEST_F(FindProgramTest, SkipsEntriesThatMeanTheCurrentFolder) {
  program("tool", 0755);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const OtherPath path{":.:relative"};

  const auto found = find_program("tool");

  std::filesystem::current_path(before);
  EXPECT_EQ(found, std::nullopt);
}

TEST_F(FindProgramTest, TakesAPathAsItIs) {
  EXPECT_EQ(find_program(program("tool", 0755)), folder / "tool");
  EXPECT_EQ(find_program(program("text", 0644)), std::nullopt);
  EXPECT_EQ(find_program(folder.path()), std::nullopt);
  EXPECT_EQ(find_program(""), std::nullopt);
}

TEST(ChildEnvironment, HoldsTheAllowedNamesAndWhatTheStageGives) {
  setenv("BP_CANARY", "1", 1);
  setenv("LC_BP", "2", 1);
  setenv("TZ", "UTC", 1);

  const auto environment = child_environment({{"TZ", "CET"}, {"EXTRA", "3"}});

  unsetenv("BP_CANARY");
  unsetenv("LC_BP");
  unsetenv("TZ");
  EXPECT_THAT(environment, Contains("LC_BP=2"));
  EXPECT_THAT(environment, Contains("EXTRA=3"));
  EXPECT_THAT(environment, Contains("TZ=CET"));
  EXPECT_THAT(environment, Not(Contains("TZ=UTC")));
  EXPECT_THAT(environment, Not(Contains(StartsWith("BP_CANARY"))));
}

}  // namespace
}  // namespace bp::stages
