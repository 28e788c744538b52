#include "stages/destinations/file.hpp"

#include "config/document.hpp"
#include "engine/run.hpp"
#include "tests/conformance/sink_conformance.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/sacrificed_child.hpp"
#include "tests/support/temporary_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace bp::stages {

void register_destination_file(Registry& registry);

}  // namespace bp::stages

namespace bp::test {
namespace {

namespace fs = std::filesystem;
using stages::Temporary;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// A store in a folder of its own, looked at with std::filesystem.
template <Temporary temporary>
struct FilePlace {
  FilePlace() {
    fs::create_directory(folder / "store");
    reopen_journal();
    store_ = stages::file_store({.name = "nas", .root = folder / "store"}, temporary);
  }
  stages::Store& store() { return *store_; }
  stages::Journal* journal() { return journal_.get(); }
  void reopen_journal() {
    journal_.reset();
    journal_ = std::make_unique<stages::Journal>(folder / "journal", "20261123-020000-ab12");
  }
  [[nodiscard]] fs::path path(std::string_view object) const { return folder / "store" / object; }
  [[nodiscard]] std::vector<std::string> objects() const { return names(false); }
  /// Part files, and folders with nothing in them.
  [[nodiscard]] std::vector<std::string> traces() const { return names(true); }

  static constexpr std::size_t unit_bytes = 64 << 10;
  static constexpr bool refuses_existing = true;

  TemporaryFolder folder;

 private:
  [[nodiscard]] std::vector<std::string> names(bool traces) const {
    std::vector<std::string> found;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator{folder / "store"}) {
      const std::string name = entry.path().lexically_relative(folder / "store").native();
      const bool is_trace = entry.is_directory() ? fs::is_empty(entry.path())
                                                 : entry.path().filename().native().front() == '.';
      if (entry.is_directory() && !is_trace) continue;
      if (is_trace == traces) found.push_back(name);
    }
    std::ranges::sort(found);
    return found;
  }

  std::unique_ptr<stages::Journal> journal_;
  std::unique_ptr<stages::Store> store_;
};

using UnnamedPlace = FilePlace<Temporary::unnamed_if_possible>;
using NamedPlace = FilePlace<Temporary::named>;

INSTANTIATE_TYPED_TEST_SUITE_P(UnnamedFiles, SinkConformance, UnnamedPlace);
INSTANTIATE_TYPED_TEST_SUITE_P(NamedFiles, SinkConformance, NamedPlace);

stages::BuildContext context_for(std::string object, stages::Journal* journal = nullptr) {
  stages::BuildContext context;
  context.run_id = "20261123-020000-ab12";
  context.source_id = "etc";
  context.object_name = std::move(object);
  context.journal = journal;
  return context;
}

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

struct FileDestination : testing::Test {
  [[nodiscard]] SinkDriver sink(std::string object) {
    return SinkDriver{place.store().sink(context_for(std::move(object), place.journal()))};
  }
  UnnamedPlace place;
};

TEST_F(FileDestination, GivesObjectsToTheirOwnerAlone) {
  SinkDriver driver = sink("h/d/etc.tar");
  driver.prepare(bytes_of("data"));
  driver.commit();

  EXPECT_EQ(fs::status(place.path("h/d/etc.tar")).permissions(), fs::perms{0600});
  EXPECT_EQ(fs::status(place.path("h/d")).permissions(), fs::perms{0700});
  EXPECT_EQ(fs::hard_link_count(place.path("h/d/etc.tar")), 1U);
}

TEST_F(FileDestination, SaysWherePeopleFindTheObject) {
  EXPECT_EQ(place.store().location("h/etc.tar"), place.path("h/etc.tar").native());
  EXPECT_FALSE(place.store().remote());
}

TEST_F(FileDestination, RefusesAMissingFolderInsteadOfFillingTheWrongDisk) {
  SinkDriver driver = sink("h/d/etc.tar");
  fs::remove(place.path(""));
  fs::remove(place.folder / "store");

  const Error error = error_of([&] { driver.preflight(); });

  EXPECT_EQ(error.code(), Errc::destination);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("store"), HasSubstr("no such folder")));
  EXPECT_THAT(std::string{error.hint()}, HasSubstr("not mounted"));
  EXPECT_FALSE(fs::exists(place.folder / "store"));
}

TEST_F(FileDestination, RefusesAFolderThatItCannotWriteTo) {
  fs::permissions(place.folder.path(), fs::perms{0755});
  fs::permissions(place.folder / "store", fs::perms{0555});
  SinkDriver driver = sink("etc.tar");
  const bool root = ::geteuid() == 0;
  if (root) ASSERT_EQ(::seteuid(65534), 0);

  const Error error = error_of([&] { driver.preflight(); });
  if (root) ASSERT_EQ(::seteuid(0), 0);
  fs::permissions(place.folder / "store", fs::perms{0755});

  EXPECT_THAT(error.what(), HasSubstr("Permission denied"));
  EXPECT_THAT(std::string{error.hint()}, HasSubstr("owner and mode"));
}

TEST_F(FileDestination, RefusesATakenNameBeforeAnythingStarts) {
  write_text(place.path("h/etc.tar"), "old");
  SinkDriver driver = sink("h/etc.tar");

  const Error error = error_of([&] { driver.preflight(); });

  EXPECT_THAT(error.what(), EndsWith("h/etc.tar' exists already"));
}

TEST_F(FileDestination, RefusesToReplaceAFolder) {
  fs::create_directories(place.path("h/etc.tar"));
  stages::BuildContext context = context_for("h/etc.tar", place.journal());
  context.replace_existing = true;
  SinkDriver driver{place.store().sink(context)};

  EXPECT_THROW(driver.preflight(), Error);
  driver.prepare(bytes_of("new"));
  EXPECT_THROW(driver.commit(), Error);

  EXPECT_TRUE(fs::is_directory(place.path("h/etc.tar")));
}

TEST_F(FileDestination, NotesTheFreeSpace) {
  SinkDriver driver = sink("h/etc.tar");

  driver.preflight();

  EXPECT_GT(std::stoull(driver.context.notes.at("free_bytes")), 0U);
}

TEST_F(FileDestination, RefusesNamesThatLeaveTheStoreOrHide) {
  for (const char* name : {"", "/etc/passwd", "../x", "h/../../x", "h//x", "h/", "./x", "h/a\nb",
                           "h/.etc.tar.run.part"}) {
    EXPECT_THROW(auto made = sink(name), Error) << name;
  }
}

TEST_F(FileDestination, RefusesANameThatIsTooLongBeforeAnythingStarts) {
  EXPECT_THROW(auto made = sink("h/" + std::string(240, 'x')), Error);
}

TEST_F(FileDestination, DoesNotFollowLinksOutOfTheStore) {
  fs::create_directory(place.folder / "elsewhere");
  fs::create_directory_symlink(place.folder / "elsewhere", place.path("h"));
  SinkDriver driver = sink("h/etc.tar");

  const Error error = error_of([&] { driver.prepare(bytes_of("data")); });

  EXPECT_THAT(error.what(), HasSubstr("not a folder"));
  EXPECT_TRUE(fs::is_empty(place.folder / "elsewhere"));
}

TEST_F(FileDestination, AcceptsAPathThatIsALinkItself) {
  fs::create_directory_symlink(place.folder / "store", place.folder / "link");
  const auto store = stages::file_store({.name = "nas", .root = place.folder / "link/"});
  SinkDriver driver{store->sink(context_for("h/etc.tar"))};

  driver.prepare(bytes_of("data"));
  driver.commit();

  EXPECT_EQ(read_text(place.path("h/etc.tar")), "data");
}

TEST_F(FileDestination, StoresIntoAFolderThatAnotherRunRemovedMeanwhile) {
  SinkDriver driver = sink("h/d/etc.tar");
  driver.prepare(bytes_of("data"));
  fs::remove(place.path("h/d"));
  fs::remove(place.path("h"));

  driver.commit();

  EXPECT_EQ(read_text(place.path("h/d/etc.tar")), "data");
}

TEST_F(FileDestination, KeepsFoldersThatWereThereBefore) {
  fs::create_directory(place.path("h"));
  SinkDriver driver = sink("h/d/etc.tar");
  driver.prepare(bytes_of("data"));

  driver.abort();

  EXPECT_TRUE(fs::is_directory(place.path("h")));
  EXPECT_FALSE(fs::exists(place.path("h/d")));
}

TEST_F(FileDestination, ListsNeitherLinksNorFilesUnderWay) {
  write_text(place.path("h/etc.tar"), "data");
  write_text(place.path("h/.db.sql.run7.part"), "half");
  fs::create_symlink(place.path("h/etc.tar"), place.path("h/link.tar"));

  const std::vector<stages::ObjectInfo> found = run(place.store().list(""));

  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "h/etc.tar");
  EXPECT_EQ(found[0].bytes, 4U);
}

TEST_F(FileDestination, RunsInAGraph) {
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

TEST_F(FileDestination, LeavesNothingWhenTheDiskIsFull) {
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

TEST_F(FileDestination, LeavesNoFileWhenKilled) {
  ASSERT_TRUE(kill_half_way(place));

  EXPECT_THAT(place.objects(), IsEmpty());
  for (const std::string& trace : place.traces()) {
    EXPECT_TRUE(fs::is_directory(place.path(trace))) << trace;
  }
}

struct NamedFileDestination : testing::Test {
  void sweep(const stages::JournalEntry& entry) { run(place.store().sweep(entry)); }
  [[nodiscard]] stages::JournalEntry entry_for(const fs::path& path) {
    return {
        .id = 1, .run_id = "run7", .kind = "part-file", .owner = "nas", .locator = path.native()};
  }
  NamedPlace place;
};

TEST_F(NamedFileDestination, LeavesAPartFileThatTheNextRunSweeps) {
  ASSERT_TRUE(kill_half_way(place));
  EXPECT_THAT(place.objects(), IsEmpty());
  EXPECT_THAT(place.traces(), ElementsAre("h/d/.numbers.raw.20261123-020000-ab12.part"));

  place.reopen_journal();
  const std::vector<stages::JournalEntry> entries = place.journal()->open_entries();

  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].kind, "part-file");
  EXPECT_EQ(entries[0].owner, "nas");
  sweep(entries[0]);
  EXPECT_FALSE(fs::exists(place.path("h/d/.numbers.raw.20261123-020000-ab12.part")));
  sweep(entries[0]);  // is gone already: fine
}

TEST_F(NamedFileDestination, SweepsNothingButPartFilesOfTheJournalsRun) {
  write_text(place.path("h/.a.run7.part"), "mine");
  write_text(place.path("h/.a.run8.part"), "another run's");
  write_text(place.path("h/a"), "an object");
  write_text(place.folder / "outside/.a.run7.part", "outside");
  fs::create_directory(place.path("h/.folder.run7.part"));
  fs::create_symlink(place.path("h/a"), place.path("h/.link.run7.part"));
  fs::create_directory_symlink(place.folder / "outside", place.path("out"));

  EXPECT_THROW(sweep(entry_for(place.path("h/.a.run8.part"))), Error);
  EXPECT_THROW(sweep(entry_for(place.path("h/a"))), Error);
  EXPECT_THROW(sweep(entry_for(place.folder / "outside/.a.run7.part")), Error);
  EXPECT_THROW(sweep(entry_for(place.path("../outside/.a.run7.part"))), Error);
  EXPECT_THROW(sweep(entry_for(place.path("out/.a.run7.part"))), Error);
  EXPECT_THROW(sweep(entry_for(place.path("h/.folder.run7.part"))), Error);
  EXPECT_THROW(sweep(entry_for(place.path("h/.link.run7.part"))), Error);
  stages::JournalEntry upload = entry_for(place.path("h/.a.run7.part"));
  upload.kind = "multipart-upload";
  EXPECT_THROW(sweep(upload), Error);
  stages::JournalEntry nameless = entry_for(place.path("h/.a.run7.part"));
  nameless.run_id = "";
  EXPECT_THROW(sweep(nameless), Error);
  EXPECT_EQ(read_text(place.path("h/.a.run7.part")), "mine");

  sweep(entry_for(place.path("h/.a.run7.part")));

  EXPECT_FALSE(fs::exists(place.path("h/.a.run7.part")));
  EXPECT_TRUE(fs::exists(place.path("h/.a.run8.part")));
  EXPECT_TRUE(fs::exists(place.path("h/a")));
  EXPECT_TRUE(fs::exists(place.folder / "outside/.a.run7.part"));
}

TEST_F(NamedFileDestination, DoesNotTouchAPartFileThatIsNotItsOwn) {
  write_text(place.path(".etc.tar.20261123-020000-ab12.part"), "somebody's");
  SinkDriver driver{place.store().sink(context_for("etc.tar", place.journal()))};

  EXPECT_THROW(driver.prepare(bytes_of("data")), Error);
  driver.abort();

  EXPECT_EQ(read_text(place.path(".etc.tar.20261123-020000-ab12.part")), "somebody's");
}

TEST_F(NamedFileDestination, CreatesNothingThatTheJournalCannotRecord) {
  SinkDriver driver{place.store().sink(context_for("etc.tar", place.journal()))};
  {
    const FullDisk no_file_may_grow;
    EXPECT_THROW(driver.prepare(bytes_of("data")), Error);
  }
  driver.abort();

  EXPECT_THAT(place.traces(), IsEmpty());
}

struct FileType : testing::Test {
  std::unique_ptr<stages::Store> make(const std::string& toml) {
    const config::Table document = config::parse_toml(toml, (folder / "job.toml").native());
    stages::Registry registry;
    stages::register_destination_file(registry);
    config::OptionReader options{document, "destination.nas", diagnostics, true};
    options.accept("type");
    auto store = (*registry.store("file"))(options);
    options.finish();
    return store;
  }
  TemporaryFolder folder;
  config::Diagnostics diagnostics;
};

TEST_F(FileType, TakesAPath) {
  const auto store = make("path = \"/srv/backups/\"\nfsync = false\n");

  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(store->location("h/etc.tar"), "/srv/backups/h/etc.tar");
}

TEST_F(FileType, ReadsARelativePathFromTheJobFilesFolder) {
  const auto store = make("path = \"backups\"\n");

  EXPECT_EQ(store->location("etc.tar"), (folder / "backups/etc.tar").native());
}

TEST_F(FileType, WantsAPath) {
  const auto store = make("pth = \"/srv/backups\"\n");

  EXPECT_EQ(diagnostics.all().size(), 2U);
}

}  // namespace
}  // namespace bp::test
