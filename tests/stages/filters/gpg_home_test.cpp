#include "stages/filters/gpg_home.hpp"

#include "engine/error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace bp::stages {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
namespace fs = std::filesystem;

class GpgHomeTest : public testing::Test {
 protected:
  GpgHomeTest() { ::setenv("RUNTIME_DIRECTORY", folder.path().c_str(), 1); }
  ~GpgHomeTest() override {
    ::unsetenv("RUNTIME_DIRECTORY");
    ::unsetenv("XDG_RUNTIME_DIR");
  }
  static void sweep(const fs::path& path) {
    sweep_gpg_home(
        {.run_id = "run-0", .kind = "gpg-home", .owner = "gpg", .locator = path.string()});
  }

  const test::TemporaryFolder folder{test::short_place};
};

TEST_F(GpgHomeTest, IsAFolderForUsAloneAndGoesWithAllItHolds) {
  fs::path path;
  {
    const GpgHome home{nullptr, "gpg"};
    path = home.path();
    struct stat facts {};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777U, 0700U);
    EXPECT_EQ(path.parent_path(), folder.path());
    test::write_text(path / "private-keys-v1.d" / "key", "k");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(GpgHomeTest, TakesTheNextPlaceWhenOneCannotBeUsed) {
  ::setenv("RUNTIME_DIRECTORY", (folder / "missing").c_str(), 1);
  ::setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
  EXPECT_EQ(GpgHome(nullptr, "gpg").path().parent_path(), folder.path());
}

TEST_F(GpgHomeTest, DoesNotTakeAPlaceWhoseNameIsTooLongForASocket) {
  const fs::path deep = folder / std::string(60, 'd');
  fs::create_directory(deep);
  ::setenv("RUNTIME_DIRECTORY", deep.c_str(), 1);
  ::setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
  EXPECT_EQ(GpgHome(nullptr, "gpg").path().parent_path(), folder.path());
}

TEST_F(GpgHomeTest, TakesTheFirstOfSeveralRuntimeDirectories) {
  ::setenv("RUNTIME_DIRECTORY", (folder.path().string() + ":/nonexistent").c_str(), 1);
  EXPECT_EQ(GpgHome(nullptr, "gpg").path().parent_path(), folder.path());
}

TEST_F(GpgHomeTest, StandsInTheJournalWhileItExists) {
  const test::TemporaryFolder state{test::short_place};
  Journal journal{state / "journal", "run-1"};
  {
    const GpgHome home{&journal, "my-gpg"};
    const auto open = journal.open_entries();
    ASSERT_THAT(open, SizeIs(1));
    EXPECT_EQ(open[0].kind, gpg_home_kind);
    EXPECT_EQ(open[0].owner, "my-gpg");
    EXPECT_EQ(open[0].locator, home.path().string());
  }
  EXPECT_THAT(journal.open_entries(), IsEmpty());
}

TEST_F(GpgHomeTest, IsNotInTheJournalWhereItCouldNotBeMade) {
  const test::TemporaryFolder state{test::short_place};
  Journal journal{state / "journal", "run-1"};
  ::setenv("RUNTIME_DIRECTORY", (folder / "missing").c_str(), 1);
  const GpgHome home{&journal, "gpg"};
  EXPECT_THAT(journal.open_entries(), SizeIs(1));
  EXPECT_THAT(home.path().string(), StartsWith("/dev/shm/"));
}

TEST_F(GpgHomeTest, IsSweptWithAllItHolds) {
  const fs::path left = folder / "backup-pipe-gpg-0123456789abcdef";
  test::write_text(left / "pubring.kbx", "x");
  sweep(left);
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(GpgHomeTest, IsNoErrorToSweepWhenItIsGone) {
  EXPECT_NO_THROW(sweep(folder / "backup-pipe-gpg-0123456789abcdef"));
}

TEST_F(GpgHomeTest, SweepsNothingThatIsNotOurs) {
  const fs::path other = folder / "precious";
  test::write_text(other / "keep", "x");
  const fs::path link = folder / "backup-pipe-gpg-link";
  fs::create_directory_symlink(other, link);
  const fs::path file = folder / "backup-pipe-gpg-file";
  test::write_text(file, "x");

  sweep(other);
  sweep(link);
  sweep(file);

  EXPECT_TRUE(fs::exists(other / "keep"));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_TRUE(fs::exists(file));
}

TEST_F(GpgHomeTest, SweepsNoFolderOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const fs::path foreign = folder / "backup-pipe-gpg-foreign";
  fs::create_directory(foreign);
  constexpr uid_t nobody = 65534;
  ASSERT_EQ(::chown(foreign.c_str(), nobody, nobody), 0);
  sweep(foreign);
  EXPECT_TRUE(fs::exists(foreign));
}

}  // namespace
}  // namespace bp::stages
