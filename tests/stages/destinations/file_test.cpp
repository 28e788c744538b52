#include "stages/destinations/file.hpp"

#include "config/document.hpp"
#include "tests/conformance/sink_conformance.hpp"
#include "tests/support/file_place.hpp"

#include <filesystem>

namespace bp::stages {

void register_destination_file(Registry& registry);

}  // namespace bp::stages

namespace bp::test {
namespace {

namespace fs = std::filesystem;

INSTANTIATE_TYPED_TEST_SUITE_P(UnnamedFiles, SinkConformance, UnnamedPlace);
INSTANTIATE_TYPED_TEST_SUITE_P(NamedFiles, SinkConformance, NamedPlace);

struct FileStore : testing::Test {
  UnnamedPlace place;
};

TEST_F(FileStore, SaysWherePeopleFindTheObject) {
  EXPECT_EQ(place.store().location("h/etc.tar"), place.path("h/etc.tar").native());
  EXPECT_FALSE(place.store().remote());
}

TEST_F(FileStore, ListsNeitherLinksNorFilesUnderWay) {
  write_text(place.path("h/etc.tar"), "data");
  write_text(place.path("h/.db.sql.run7.part"), "half");
  fs::create_symlink(place.path("h/etc.tar"), place.path("h/link.tar"));

  const std::vector<stages::ObjectInfo> found = run(place.store().list(""));

  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "h/etc.tar");
  EXPECT_EQ(found[0].bytes, 4U);
}

TEST_F(FileStore, AcceptsAPathThatIsALinkItself) {
  fs::create_directory_symlink(place.folder / "store", place.folder / "link");
  const auto store = stages::file_store({.name = "nas", .root = place.folder / "link/"});
  SinkDriver driver{store->sink(context_for("h/etc.tar"))};

  driver.prepare(bytes_of("data"));
  driver.commit();

  EXPECT_EQ(read_text(place.path("h/etc.tar")), "data");
}

struct FileSweep : testing::Test {
  void sweep(const stages::JournalEntry& entry) { run(place.store().sweep(entry)); }
  [[nodiscard]] stages::JournalEntry entry_for(const fs::path& path) {
    return {
        .id = 1, .run_id = "run7", .kind = "part-file", .owner = "nas", .locator = path.native()};
  }
  NamedPlace place;
};

TEST_F(FileSweep, SweepsNothingButPartFilesOfTheJournalsRun) {
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
