#include "stages/support/posix_file.hpp"

#include "tests/support/full_disk.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace bp::test {
namespace {

namespace fs = std::filesystem;

TEST(ReplaceFile, KeepsTheOldTextWhenTheNewOneCannotBeWritten) {
  const TemporaryFolder folder;
  stages::replace_file(folder / "state", "old");
  {
    const FullDisk no_file_may_grow;
    EXPECT_THROW(stages::replace_file(folder / "state", "new"), Error);
  }

  EXPECT_EQ(read_text(folder / "state"), "old");
}

TEST(ReplaceFile, OverwritesWhatACrashLeftBehind) {
  const TemporaryFolder folder;
  write_text(folder / "state.new", "half of a longer text");

  stages::replace_file(folder / "state", "new");

  EXPECT_EQ(read_text(folder / "state"), "new");
  EXPECT_FALSE(fs::exists(folder / "state.new"));
  EXPECT_EQ(fs::status(folder / "state").permissions(), fs::perms{0600});
}

TEST(ReadSmallFile, TellsAMissingFileFromOneThatCannotBeRead) {
  const TemporaryFolder folder;
  write_text(folder / "large", std::string(1000, 'x'));

  EXPECT_EQ(stages::read_small_file(folder / "none", 10), std::nullopt);
  EXPECT_EQ(stages::read_small_file(folder / "large", 1000), std::string(1000, 'x'));
  EXPECT_THROW((void)stages::read_small_file(folder / "large", 999), Error);
  EXPECT_THROW((void)stages::read_small_file(folder.path(), 10), Error);
}

TEST(FileError, TellsAnAdministratorWhatToDo) {
  const Error error = stages::file_error(Errc::destination, "write", "/srv/etc.tar", ENOSPC);

  EXPECT_STREQ(error.what(), "unable to write '/srv/etc.tar': No space left on device");
  EXPECT_THAT(std::string{error.hint()}, testing::HasSubstr("Free some space"));
}

}  // namespace
}  // namespace bp::test
