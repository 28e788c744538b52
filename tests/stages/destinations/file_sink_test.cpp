#include "stages/destinations/file_sink.hpp"

#include "engine/run.hpp"
#include "tests/support/file_place.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/sacrificed_child.hpp"
#include "tests/support/stage_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <functional>

namespace bp::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// What `work` threw; a message that no test expects if it did not.
template <class Work>
Error error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return Error{Errc::internal, "nothing was thrown"};
}

struct FileSink : testing::Test {
  [[nodiscard]] SinkDriver sink(std::string object) {
    return SinkDriver{place.store().sink(context_for(std::move(object), place.journal()))};
  }
  UnnamedPlace place;
};

TEST_F(FileSink, GivesObjectsToTheirOwnerAlone) {
  SinkDriver driver = sink("h/d/etc.tar");
  driver.prepare(bytes_of("data"));
  driver.commit();

  EXPECT_EQ(fs::status(place.path("h/d/etc.tar")).permissions(), fs::perms{0600});
  EXPECT_EQ(fs::status(place.path("h/d")).permissions(), fs::perms{0700});
  EXPECT_EQ(fs::hard_link_count(place.path("h/d/etc.tar")), 1U);
}

TEST_F(FileSink, RefusesAMissingFolderInsteadOfFillingTheWrongDisk) {
  SinkDriver driver = sink("h/d/etc.tar");
  fs::remove(place.path(""));
  fs::remove(place.folder / "store");

  const Error error = error_of([&] { driver.preflight(); });

  EXPECT_EQ(error.code(), Errc::destination);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("store"), HasSubstr("no such folder")));
  EXPECT_THAT(std::string{error.hint()}, HasSubstr("not mounted"));
  EXPECT_FALSE(fs::exists(place.folder / "store"));
}

TEST_F(FileSink, RefusesAFolderThatItCannotWriteTo) {
  fs::permissions(place.folder.path(), fs::perms{0755});
  fs::permissions(place.folder / "store", fs::perms{0555});
  SinkDriver driver = sink("etc.tar");
  const bool root = ::geteuid() == 0;
  ASSERT_EQ(root ? ::seteuid(65534) : 0, 0);

  const Error error = error_of([&] { driver.preflight(); });
  ASSERT_EQ(root ? ::seteuid(0) : 0, 0);
  fs::permissions(place.folder / "store", fs::perms{0755});

  EXPECT_THAT(error.what(), HasSubstr("Permission denied"));
  EXPECT_THAT(std::string{error.hint()}, HasSubstr("owner and mode"));
}

TEST_F(FileSink, RefusesATakenNameBeforeAnythingStarts) {
  write_text(place.path("h/etc.tar"), "old");
  SinkDriver driver = sink("h/etc.tar");

  const Error error = error_of([&] { driver.preflight(); });

  EXPECT_THAT(error.what(), EndsWith("h/etc.tar' exists already"));
}

TEST_F(FileSink, RefusesToReplaceAFolder) {
  fs::create_directories(place.path("h/etc.tar"));
  stages::BuildContext context = context_for("h/etc.tar", place.journal());
  context.replace_existing = true;
  SinkDriver driver{place.store().sink(context)};

  EXPECT_THROW(driver.preflight(), Error);
  driver.prepare(bytes_of("new"));
  EXPECT_THROW(driver.commit(), Error);

  EXPECT_TRUE(fs::is_directory(place.path("h/etc.tar")));
}

TEST_F(FileSink, NotesTheFreeSpace) {
  SinkDriver driver = sink("h/etc.tar");

  driver.preflight();

  EXPECT_GT(std::stoull(driver.context.notes.at("free_bytes")), 0U);
}

TEST_F(FileSink, RefusesNamesThatLeaveTheStoreOrHide) {
  for (const char* name : {"", "/etc/passwd", "../x", "h/../../x", "h//x", "h/", "./x", "h/a\nb",
                           "h/.etc.tar.run.part"}) {
    EXPECT_THROW(auto made = sink(name), Error) << name;
  }
}

TEST_F(FileSink, RefusesANameThatIsTooLongBeforeAnythingStarts) {
  EXPECT_THROW(auto made = sink("h/" + std::string(240, 'x')), Error);
}

TEST_F(FileSink, DoesNotFollowLinksOutOfTheStore) {
  fs::create_directory(place.folder / "elsewhere");
  fs::create_directory_symlink(place.folder / "elsewhere", place.path("h"));
  SinkDriver driver = sink("h/etc.tar");

  const Error error = error_of([&] { driver.prepare(bytes_of("data")); });

  EXPECT_THAT(error.what(), HasSubstr("not a folder"));
  EXPECT_TRUE(fs::is_empty(place.folder / "elsewhere"));
}

TEST_F(FileSink, StoresIntoAFolderThatAnotherRunRemovedMeanwhile) {
  SinkDriver driver = sink("h/d/etc.tar");
  driver.prepare(bytes_of("data"));
  fs::remove(place.path("h/d"));
  fs::remove(place.path("h"));

  driver.commit();

  EXPECT_EQ(read_text(place.path("h/d/etc.tar")), "data");
}

TEST_F(FileSink, RemovesTheFoldersThatItMadeForAnAbortedObject) {
  SinkDriver driver = sink("h/d/etc.tar");
  driver.prepare(bytes_of("data"));
  ASSERT_TRUE(fs::is_directory(place.path("h/d")));

  driver.abort();

  EXPECT_TRUE(fs::is_empty(place.path("")));
}

TEST_F(FileSink, LeavesNoFolderWhenItsNameIsTaken) {
  SinkDriver driver = sink("h/etc.tar");
  driver.prepare(bytes_of("new"));
  write_text(place.path("h/etc.tar"), "a stranger's");

  EXPECT_THROW(driver.commit(), Error);

  EXPECT_EQ(read_text(place.path("h/etc.tar")), "a stranger's");
  EXPECT_THAT(place.traces(), IsEmpty());
}

TEST_F(FileSink, KeepsFoldersThatWereThereBefore) {
  fs::create_directory(place.path("h"));
  SinkDriver driver = sink("h/d/etc.tar");
  driver.prepare(bytes_of("data"));

  driver.abort();

  EXPECT_TRUE(fs::is_directory(place.path("h")));
  EXPECT_FALSE(fs::exists(place.path("h/d")));
}

TEST_F(FileSink, RunsInAGraph) {
  const Bytes data = pattern(3'000'000);
  GraphBuilder builder;
  const auto from = builder.add("numbers", std::make_unique<MemorySource>(data));
  const auto to =
      builder.add("nas", place.store().sink(context_for("h/numbers.raw", place.journal())));
  builder.connect(from, to);
  Graph graph = std::move(builder).build();
  MemoryPlan plan = plan_memory(graph, 256 << 10, std::size_t{64} << 20);

  const SourceReport report = run(bp::run(std::move(graph), std::move(plan), {}));

  EXPECT_EQ(report.outcome, Outcome::stored);
  EXPECT_EQ(read_text(place.path("h/numbers.raw")).size(), data.size());
}

TEST_F(FileSink, LeavesNothingWhenTheDiskIsFull) {
  SinkDriver driver = sink("h/d/etc.tar");
  {
    const FullDisk no_file_may_grow;
    const Error error = error_of([&] { driver.prepare(bytes_of("data")); });
    EXPECT_THAT(error.what(), StartsWith("unable to write '"));
  }
  driver.abort();

  EXPECT_THAT(place.objects(), IsEmpty());
  EXPECT_THAT(place.traces(), IsEmpty());
}

/// Gives some bytes and does not come back.
class FatalSource final : public Source {
 public:
  FatalSource(Bytes bytes, std::function<void()> reached)
      : bytes_{std::move(bytes)}, reached_{std::move(reached)} {}
  asio::awaitable<void> produce(Outlet& out, StageContext&) override {
    co_await out.write(bytes_);
    reached_();
  }

 private:
  Bytes bytes_;
  std::function<void()> reached_;
};

/// A run that dies when its source has given most of its bytes, and has been read by the sink.
template <class Place>
bool kill_half_way(Place& place) {
  return kill_at([&place](const std::function<void()>& reached) {
    place.reopen_journal();
    GraphBuilder builder;
    // More than the edge holds: when the last chunk has room, the sink has written some.
    const auto from =
        builder.add("numbers", std::make_unique<FatalSource>(pattern(2'000'000), reached));
    const auto to =
        builder.add("nas", place.store().sink(context_for("h/d/numbers.raw", place.journal())));
    builder.connect(from, to);
    Graph graph = std::move(builder).build();
    MemoryPlan plan = plan_memory(graph, 64 << 10, std::size_t{64} << 20);
    run(bp::run(std::move(graph), std::move(plan), {}));
  });
}

TEST_F(FileSink, LeavesNoFileWhenKilled) {
  ASSERT_TRUE(kill_half_way(place));

  EXPECT_THAT(place.objects(), IsEmpty());
  EXPECT_THAT(place.traces(), IsEmpty());
}

struct NamedFileSink : testing::Test {
  NamedPlace place;
};

TEST_F(NamedFileSink, LeavesAPartFileThatTheNextRunSweeps) {
  ASSERT_TRUE(kill_half_way(place));
  EXPECT_THAT(place.objects(), IsEmpty());
  EXPECT_THAT(place.traces(), ElementsAre("h/d/.numbers.raw.20261123-020000-ab12.part"));

  place.reopen_journal();
  const std::vector<stages::JournalEntry> entries = place.journal()->open_entries();

  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].kind, "part-file");
  EXPECT_EQ(entries[0].owner, "nas");
  run(place.store().sweep(entries[0]));
  EXPECT_FALSE(fs::exists(place.path("h/d/.numbers.raw.20261123-020000-ab12.part")));
  run(place.store().sweep(entries[0]));  // is gone already: fine
}

TEST_F(NamedFileSink, DoesNotTouchAPartFileThatIsNotItsOwn) {
  write_text(place.path(".etc.tar.20261123-020000-ab12.part"), "somebody's");
  SinkDriver driver{place.store().sink(context_for("etc.tar", place.journal()))};

  EXPECT_THROW(driver.prepare(bytes_of("data")), Error);
  driver.abort();

  EXPECT_EQ(read_text(place.path(".etc.tar.20261123-020000-ab12.part")), "somebody's");
}

TEST_F(NamedFileSink, CreatesNothingThatTheJournalCannotRecord) {
  SinkDriver driver{place.store().sink(context_for("etc.tar", place.journal()))};
  {
    const FullDisk no_file_may_grow;
    EXPECT_THROW(driver.prepare(bytes_of("data")), Error);
  }
  driver.abort();

  EXPECT_THAT(place.traces(), IsEmpty());
}

}  // namespace
}  // namespace bp::test
