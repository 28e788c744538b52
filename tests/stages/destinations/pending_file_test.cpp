#include "stages/destinations/pending_file.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace bp::test {
namespace {

using stages::PendingFile;
using stages::Temporary;

struct PendingFiles : testing::TestWithParam<Temporary> {
  PendingFiles() : folder_fd{::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)} {}

  [[nodiscard]] static PendingFile::Names names() {
    PendingFile::Names names;
    names.leaf = "etc.tar";
    names.part = ".etc.tar.run7.part";
    return names;
  }
  void write_new() {
    ASSERT_EQ(file.open(folder_fd.get(), GetParam()), 0);
    ASSERT_EQ(::write(file.fd(), "new", 3), 3);
  }

  TemporaryFolder folder;
  stages::UniqueFd folder_fd;
  PendingFile file{names()};
};

TEST_P(PendingFiles, GetTheirNameOnlyWhenPublished) {
  write_new();
  EXPECT_FALSE(std::filesystem::exists(folder / "etc.tar"));

  EXPECT_EQ(file.publish(folder_fd.get(), false), 0);

  EXPECT_EQ(read_text(folder / "etc.tar"), "new");
}

TEST_P(PendingFiles, DoNotOverwriteUnasked) {
  write_text(folder / "etc.tar", "old");
  write_new();

  EXPECT_EQ(file.publish(folder_fd.get(), false), EEXIST);

  EXPECT_EQ(read_text(folder / "etc.tar"), "old");
}

TEST_P(PendingFiles, GiveAFreshNameBack) {
  write_new();
  ASSERT_EQ(file.publish(folder_fd.get(), true), 0);

  EXPECT_EQ(file.take_back(folder_fd.get()), 0);
  EXPECT_EQ(file.drop_part(folder_fd.get()), 0);

  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_P(PendingFiles, GiveAReplacedObjectItsNameBack) {
  write_text(folder / "etc.tar", "old");
  write_new();
  ASSERT_EQ(file.publish(folder_fd.get(), true), 0);
  ASSERT_EQ(read_text(folder / "etc.tar"), "new");

  EXPECT_EQ(file.take_back(folder_fd.get()), 0);
  EXPECT_EQ(file.drop_part(folder_fd.get()), 0);

  EXPECT_EQ(read_text(folder / "etc.tar"), "old");
  EXPECT_FALSE(std::filesystem::exists(folder / ".etc.tar.run7.part"));
}

TEST_P(PendingFiles, TellThatTheirFolderIsGone) {
  ASSERT_TRUE(std::filesystem::remove_all(folder.path()));

  EXPECT_EQ(file.open(folder_fd.get(), GetParam()), ENOENT);
}

INSTANTIATE_TEST_SUITE_P(BothKinds, PendingFiles,
                         testing::Values(Temporary::unnamed_if_possible, Temporary::named));

}  // namespace
}  // namespace bp::test
