#include "tests/support/source_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using test::make_source;
using test::run_source;
using test::text_of;
using testing::HasSubstr;

TEST(CommandSource, RunsTheProgramWithoutAShell) {
  const auto run = run_source("command", R"(argv = ["printf", "%s;%s", "$HOME", "*"])");

  EXPECT_EQ(text_of(run.output), "$HOME;*");
}

TEST(CommandSource, GivesItsEnvironmentAndFolder) {
  const auto run = run_source("command", R"(
    argv = ["/bin/sh", "-c", "echo $MODE; pwd"]
    env = { MODE = "full" }
    working_directory = "/usr")");

  EXPECT_EQ(text_of(run.output), "full\n/usr\n");
}

TEST(CommandSource, AcceptsOnlyTheExitCodesItWasTold) {
  const std::string script = R"(argv = ["/bin/sh", "-c", "echo data; exit 3"])";

  EXPECT_EQ(run_source("command", script).report.outcome, Outcome::failed);
  EXPECT_EQ(run_source("command", script + "\nok_exit = [0, 3]").report.outcome, Outcome::stored);
  EXPECT_EQ(run_source("command", script + "\nwarn_exit = [3]").report.outcome,
            Outcome::stored_with_warnings);
}

TEST(CommandSource, NamesItsExtensionAsItWasTold) {
  const std::string argv = "argv = [\"true\"]\n";

  EXPECT_EQ(make_source("command", argv).type.extension, "");
  EXPECT_EQ(make_source("command", argv + "extension = \"sql\"").type.extension, ".sql");
  EXPECT_EQ(make_source("command", argv + "extension = \".tar.xz\"").type.extension, ".tar.xz");
  for (const std::string bad : {"../x", "a b", "a/b", "..", "sql."}) {
    EXPECT_THAT(make_source("command", argv + "extension = \"" + bad + "\"").problems,
                HasSubstr("is no file name extension"))
        << bad;
  }
}

TEST(CommandSource, RefusesWhatIsNoPriority) {
  const std::string argv = "argv = [\"true\"]\n";

  EXPECT_EQ(make_source("command", argv + "nice = 10\nionice = \"best-effort:7\"").problems, "");
  for (const std::string bad : {"realtime", "best-effort:8", "best-effort7", ""}) {
    EXPECT_NE(make_source("command", argv + "ionice = \"" + bad + "\"").problems, "") << bad;
  }
  EXPECT_NE(make_source("command", argv + "nice = 20").problems, "");
}

}  // namespace
}  // namespace bp::stages
