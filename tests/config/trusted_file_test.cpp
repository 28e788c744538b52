#include "config/trusted_file.hpp"

#include "engine/error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace bp::config {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t limit = 1024;

class TrustedFileTest : public ::testing::Test {
 protected:
  std::filesystem::path make(mode_t mode, std::string_view text = "x = 1\n") {
    const std::filesystem::path file = folder / "job.toml";
    test::write_text(file, text);
    EXPECT_EQ(::chmod(file.c_str(), mode), 0);
    return file;
  }
  static std::string refusal(const std::filesystem::path& file) {
    try {
      (void)read_trusted_file(file, limit);
      return "accepted";
    } catch (const Error& error) {
      return std::string{error.what()} + "|" + std::string{error.hint()};
    }
  }

  test::TemporaryFolder folder;
};

TEST_F(TrustedFileTest, ReadsAFileOfOurs) {
  const TrustedFile file = read_trusted_file(make(0600, "a = 1\n"), limit);
  EXPECT_EQ(file.text, "a = 1\n");
  EXPECT_FALSE(file.readable_by_others);
}

struct ModeCase {
  mode_t mode;
  bool accepted;
  bool others_can_read;
};

TEST_F(TrustedFileTest, JudgesEveryMode) {
  for (const ModeCase& one : {ModeCase{0400, true, false},
                              {0600, true, false},
                              {0640, true, false},
                              {0644, true, true},
                              {0604, true, true},
                              {0620, false, false},
                              {0602, false, false},
                              {0666, false, true},
                              {0660, false, false}}) {
    const std::filesystem::path file = make(one.mode);
    if (!one.accepted) {
      EXPECT_THAT(refusal(file), HasSubstr("can be written by others")) << std::oct << one.mode;
      EXPECT_THAT(refusal(file), HasSubstr("|Run: chmod go-w '")) << std::oct << one.mode;
      continue;
    }
    EXPECT_EQ(read_trusted_file(file, limit).readable_by_others, one.others_can_read)
        << std::oct << one.mode;
  }
}

TEST_F(TrustedFileTest, RefusesAForeignFileAlsoBehindALinkOfOurs) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  constexpr uid_t nobody = 65'534;
  const std::filesystem::path file = make(0600);
  ASSERT_EQ(::chown(file.c_str(), nobody, nobody), 0);
  EXPECT_THAT(refusal(file), HasSubstr("belongs to user 65534"));

  const std::filesystem::path link = folder / "link.toml";
  std::filesystem::create_symlink(file, link);
  EXPECT_THAT(refusal(link), HasSubstr("belongs to user 65534"));
}

TEST_F(TrustedFileTest, CountsAForeignGroupAsOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file to a group";
  const std::filesystem::path file = make(0640);
  ASSERT_EQ(::chown(file.c_str(), 0, 65'534), 0);
  EXPECT_TRUE(read_trusted_file(file, limit).readable_by_others);
}

TEST_F(TrustedFileTest, JudgesTheTargetAndNotTheOwnerOfALink) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a link away";
  const std::filesystem::path link = folder / "link.toml";
  std::filesystem::create_symlink(make(0600), link);
  ASSERT_EQ(::lchown(link.c_str(), 65'534, 65'534), 0);
  EXPECT_EQ(refusal(link), "accepted");
  ASSERT_EQ(::chmod((folder / "job.toml").c_str(), 0602), 0);
  EXPECT_THAT(refusal(link), HasSubstr("can be written by others (mode 0602)"));
}

TEST_F(TrustedFileTest, GivesARemedyThatCanBePastedForAnyName) {
  const std::filesystem::path file = folder / "it's; rm x";
  test::write_text(file, "x");
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  EXPECT_EQ(refusal(file), file.string() +
                               ": can be written by others (mode 0666)|Run: chmod go-w '" +
                               folder.path().string() + "/it'\\''s; rm x'");
}

TEST_F(TrustedFileTest, FollowsALinkToAFileOfOurs) {
  const std::filesystem::path link = folder / "link.toml";
  std::filesystem::create_symlink(make(0600), link);
  EXPECT_EQ(read_trusted_file(link, limit).real_path,
            std::filesystem::canonical(folder / "job.toml"));
}

TEST_F(TrustedFileTest, RefusesWhatIsNoRegularFileWithoutWaitingForIt) {
  const std::filesystem::path fifo = folder / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(refusal(fifo), HasSubstr("not a regular file"));
  EXPECT_THAT(refusal(folder.path()), HasSubstr("not a regular file"));
  std::filesystem::create_symlink("nowhere", folder / "dangling");
  EXPECT_THAT(refusal(folder / "dangling"), HasSubstr("unable to open: No such file or directory"));
  std::filesystem::create_symlink("loop", folder / "loop");
  EXPECT_THAT(refusal(folder / "loop"),
              HasSubstr("unable to open: Too many levels of symbolic links"));
  EXPECT_THAT(refusal("/dev/null"), HasSubstr("not a regular file"));
  EXPECT_THAT(refusal(folder / "absent"), HasSubstr("unable to open: No such file or directory"));
}

TEST_F(TrustedFileTest, RefusesALargeFileWithoutReadingIt) {
  const std::filesystem::path file = make(0600);
  std::filesystem::resize_file(file, std::uintmax_t{50} << 30);  // sparse
  EXPECT_THAT(refusal(file), HasSubstr("larger than 1 KiB"));
}

}  // namespace
}  // namespace bp::config
