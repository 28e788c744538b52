#include "stages/filters/gpg_engine.hpp"

#include "engine/error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class GpgEngineTest : public testing::Test {
 protected:
  std::string refusal_of(const std::string& binary) {
    try {
      return "accepted: " + check_gpg_engine(binary, home.path().string());
    } catch (const Error& error) {
      return error.what();
    }
  }
  /// A program that says this when it is asked for its version.
  std::string program_of_version(const std::string& words) {
    const std::filesystem::path script = folder / "gpg";
    test::write_text(script, "#!/bin/sh\necho '" + words + "'\n");
    std::filesystem::permissions(script, std::filesystem::perms{0700});
    return script.string();
  }

  const test::TemporaryFolder home{test::short_place}, folder;
};

TEST_F(GpgEngineTest, TellsTheVersionOfGpgAndLeavesItsHomeAlone) {
  EXPECT_THAT(check_gpg_engine("gpg", home.path().string()), MatchesRegex("2\\.[0-9]+\\.[0-9]+"));
  EXPECT_TRUE(std::filesystem::is_empty(home.path()));
}

TEST_F(GpgEngineTest, RefusesAGpgBefore2_2) {
  EXPECT_THAT(refusal_of(program_of_version("gpg (GnuPG) 2.1.23")),
              HasSubstr("version 2.1.23 is too old"));
  EXPECT_THAT(refusal_of(program_of_version("gpg (GnuPG) 1.4.23")),
              HasSubstr("version 1.4.23 is too old"));
}

TEST_F(GpgEngineTest, ComparesVersionsAsNumbers) {
  EXPECT_EQ(refusal_of(program_of_version("gpg (GnuPG) 2.10.0")), "accepted: 2.10.0");
}

TEST_F(GpgEngineTest, RefusesWhatDoesNotExist) {
  EXPECT_THAT(refusal_of("no-such-gpg"), HasSubstr("'no-such-gpg' is no usable gpg: not found"));
  EXPECT_THAT(refusal_of((folder / "gpg").string()), HasSubstr("not found"));
}

TEST_F(GpgEngineTest, RefusesWhatHasNoVersion) {
  EXPECT_THAT(refusal_of(program_of_version("hello")), HasSubstr("is no usable gpg: "));
}

}  // namespace
}  // namespace bp::stages
