#include "stages/store/state_directory.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

namespace bp::test {
namespace {

namespace fs = std::filesystem;
using stages::job_folder_name;
using stages::job_state_folder;
using stages::StateFolder;
using testing::HasSubstr;
using testing::MatchesRegex;

stages::Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

struct StateDirectory : testing::Test {
  TemporaryFolder folder;
  const fs::path job_file = "/etc/backup-pipe/nightly.toml";
  const std::string job_folder = job_folder_name("nightly", job_file);
  /// A place where nobody, not even root, can make a folder.
  const fs::path impossible = "/proc/backup-pipe";
};

TEST_F(StateDirectory, IsNamedAfterTheJobAndItsFile) {
  EXPECT_THAT(job_folder, MatchesRegex("nightly-[0-9a-f]{8}"));
  EXPECT_NE(job_folder, job_folder_name("nightly", "/home/me/nightly.toml"));
  EXPECT_EQ(job_folder_name("a/../b \n", "/x").substr(0, 8), "a_.._b__");
  EXPECT_EQ(job_folder_name("..", "/x").substr(0, 3), "_.-");
}

TEST_F(StateDirectory, IsMadeBelowTheOneThatSystemdGives) {
  const fs::path given = folder / "systemd";

  const StateFolder state = job_state_folder(
      "nightly", job_file, environment({{"STATE_DIRECTORY", given.native() + ":/x"}}),
      folder / "system");

  ASSERT_TRUE(state.path) << state.reason;
  EXPECT_EQ(*state.path, given / job_folder);
  EXPECT_EQ(fs::status(*state.path).permissions(), fs::perms{0700});
  EXPECT_FALSE(fs::exists(folder / "system"));
}

TEST_F(StateDirectory, IsNotLookedForElsewhereWhenSomebodyDecidedIt) {
  const StateFolder state = job_state_folder(
      "nightly", job_file,
      environment({{"STATE_DIRECTORY", impossible.native()}, {"HOME", folder.path().native()}}),
      folder / "system");

  EXPECT_FALSE(state.path);
  EXPECT_THAT(state.reason, HasSubstr("/proc/backup-pipe"));
}

TEST_F(StateDirectory, PrefersTheSystemsPlace) {
  const StateFolder state = job_state_folder(
      "nightly", job_file, environment({{"HOME", (folder / "home").native()}}), folder / "system");

  ASSERT_TRUE(state.path) << state.reason;
  EXPECT_EQ(*state.path, folder / "system" / job_folder);
}

TEST_F(StateDirectory, FallsBackToTheUsersPlaces) {
  const auto xdg = environment(
      {{"XDG_STATE_HOME", (folder / "xdg").native()}, {"HOME", (folder / "home").native()}});
  const auto home = environment({{"HOME", (folder / "home").native()}});

  EXPECT_EQ(job_state_folder("nightly", job_file, xdg, impossible).path,
            folder / "xdg/backup-pipe" / job_folder);
  EXPECT_EQ(job_state_folder("nightly", job_file, home, impossible).path,
            folder / "home/.local/state/backup-pipe" / job_folder);
}

TEST_F(StateDirectory, SaysWhatWasTriedWhenThereIsNone) {
  const StateFolder state =
      job_state_folder("nightly", job_file, environment({{"HOME", "/proc/home"}}), impossible);

  EXPECT_FALSE(state.path);
  EXPECT_THAT(state.reason, HasSubstr("'/proc/backup-pipe/nightly-"));
  EXPECT_THAT(state.reason, HasSubstr("; '/proc/home/.local/state/backup-pipe/nightly-"));
}

TEST_F(StateDirectory, IsFoundAgain) {
  const auto none = environment({});
  const StateFolder first = job_state_folder("nightly", job_file, none, folder / "system");
  ASSERT_TRUE(first.path);
  write_text(*first.path / "lock", "");

  const StateFolder second = job_state_folder("nightly", job_file, none, folder / "system");

  EXPECT_EQ(first.path, second.path);
  EXPECT_TRUE(fs::exists(*second.path / "lock"));
}

TEST_F(StateDirectory, RefusesAFolderThatOthersCanWriteToOrThatIsALink) {
  fs::create_directories(folder / "open" / job_folder);
  fs::permissions(folder / "open" / job_folder, fs::perms{0777});
  fs::create_directories(folder / "link");
  fs::create_directory_symlink(folder.path(), folder / "link" / job_folder);

  const auto none = environment({});
  EXPECT_THAT(job_state_folder("nightly", job_file, none, folder / "open").reason,
              HasSubstr("written to by others"));
  EXPECT_THAT(job_state_folder("nightly", job_file, none, folder / "link").reason,
              HasSubstr("not a folder"));
}

}  // namespace
}  // namespace bp::test
