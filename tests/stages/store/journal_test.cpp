#include "stages/store/journal.hpp"

#include "engine/error.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>

namespace bp::test {
namespace {

namespace fs = std::filesystem;
using stages::Journal;
using stages::JournalEntry;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct JournalFile : testing::Test {
  [[nodiscard]] std::unique_ptr<Journal> open(std::string run_id) const {
    return std::make_unique<Journal>(path, std::move(run_id));
  }
  [[nodiscard]] static std::vector<std::string> locators(const Journal& journal) {
    std::vector<std::string> found;
    for (const JournalEntry& entry : journal.open_entries()) found.push_back(entry.locator);
    return found;
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{folder.path()}) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }
  TemporaryFolder folder;
  const fs::path path = folder / "journal";
};

TEST_F(JournalFile, KnowsWhatAnEarlierRunBeganAndDidNotEnd) {
  {
    const auto first = open("run1");
    const std::uint64_t gone = first->begin("part-file", "nas", "/srv/.a.run1.part");
    [[maybe_unused]] const auto left = first->begin("multipart-upload", "offsite", "h/\"b\"\n");
    first->end(gone);
  }

  const std::vector<JournalEntry> entries = open("run2")->open_entries();

  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].run_id, "run1");
  EXPECT_EQ(entries[0].kind, "multipart-upload");
  EXPECT_EQ(entries[0].owner, "offsite");
  EXPECT_EQ(entries[0].locator, "h/\"b\"\n");
}

TEST_F(JournalFile, WritesTheLineBeforeBeginReturns) {
  const auto journal = open("run1");

  const std::uint64_t id = journal->begin("part-file", "nas", "/srv/.a.run1.part");

  EXPECT_THAT(read_text(path), HasSubstr("\"locator\":\"/srv/.a.run1.part\""));
  journal->end(id);
  EXPECT_THAT(read_text(path), HasSubstr("{\"event\":\"end\",\"id\":1"));
}

TEST_F(JournalFile, EndsAnEntryOfAnEarlierRun) {
  {
    const auto first = open("run1");
    [[maybe_unused]] const auto left = first->begin("part-file", "nas", "x");
  }
  {
    const auto second = open("run2");
    second->end(second->open_entries().at(0).id);
  }

  EXPECT_THAT(locators(*open("run3")), IsEmpty());
}

TEST_F(JournalFile, NeverUsesAnIdTwice) {
  std::uint64_t last = 0;
  for (int run = 0; run < 5; ++run) {
    const auto journal = open("run");
    const std::uint64_t id = journal->begin("part-file", "nas", "x");
    EXPECT_GT(id, last);
    last = id;
    journal->end(id);
  }
}

TEST_F(JournalFile, IsReadableByItsOwnerAlone) {
  const auto journal = open("run1");

  EXPECT_EQ(fs::status(path).permissions(), fs::perms{0600});
}

TEST_F(JournalFile, StaysShortOverManyRuns) {
  for (int run = 0; run < 8; ++run) {
    const auto journal = open("run");
    for (int i = 0; i < 5; ++i) journal->end(journal->begin("part-file", "nas", "/srv/x.part"));
  }

  EXPECT_LT(fs::file_size(path), 4096U);
}

TEST_F(JournalFile, StaysShortOverOneLongRun) {
  const auto journal = open("run1");
  for (int i = 0; i < 60; ++i) journal->end(journal->begin("part-file", "nas", "/srv/x.part"));

  EXPECT_LT(fs::file_size(path), 8192U);
}

TEST_F(JournalFile, DropsATornLastLine) {
  {
    const auto journal = open("run1");
    [[maybe_unused]] const auto one = journal->begin("part-file", "nas", "one");
    [[maybe_unused]] const auto two = journal->begin("part-file", "nas", "two");
  }
  fs::resize_file(path, fs::file_size(path) - 5);

  const auto journal = open("run2");

  EXPECT_THAT(locators(*journal), ElementsAre("one"));
  EXPECT_THAT(journal->damaged_lines(), IsEmpty());
  EXPECT_THAT(files(), ElementsAre("journal"));
}

TEST_F(JournalFile, SurvivesACutAnywhere) {
  std::string whole;
  {
    const auto journal = open("run1");
    const auto one = journal->begin("part-file", "nas", "one");
    [[maybe_unused]] const auto two = journal->begin("part-file", "nas", "two");
    journal->end(one);
    whole = read_text(path);
  }
  const std::size_t first_end = whole.find('\n', whole.find("\"one\"")) + 1;
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    write_text(path, whole.substr(0, length));

    const auto journal = open("run2");

    EXPECT_THAT(journal->damaged_lines(), IsEmpty()) << length;
    if (length >= first_end) {
      EXPECT_GE(journal->open_entries().size(), 1U) << length;
    }
  }
}

TEST_F(JournalFile, KeepsWhatMakesSenseOfADamagedFileAndACopyBesideIt) {
  {
    const auto journal = open("run1");
    [[maybe_unused]] const auto one = journal->begin("part-file", "nas", "one");
  }
  const std::string old =
      read_text(path) + std::string(2, '\0') +
      "garbage\n"
      "{\"event\":\"begin\",\"id\":-1}\n"
      "[[[[\n"
      R"({"event":"begin","id":9,"run":"r","kind":"k","owner":"o","locator":"two"})"
      "\n";
  write_text(path, old);

  const auto journal = open("run2");

  EXPECT_THAT(locators(*journal), ElementsAre("one", "two"));
  EXPECT_EQ(journal->damaged_lines().size(), 3U);
  ASSERT_EQ(files().size(), 2U);
  EXPECT_THAT(files()[1], HasSubstr("journal.damaged-"));
  EXPECT_EQ(read_text(folder / files()[1]), old);
  EXPECT_GT(journal->begin("part-file", "nas", "three"), 9U);
  EXPECT_THAT(open("run3")->damaged_lines(), IsEmpty());
}

TEST_F(JournalFile, RefusesToBeginWhatItCannotWriteAndGoesOnLater) {
  const auto journal = open("run1");
  {
    const FullDisk no_file_may_grow;
    EXPECT_THROW([[maybe_unused]] auto id = journal->begin("part-file", "nas", "one"), Error);
  }

  EXPECT_THAT(locators(*journal), IsEmpty());
  [[maybe_unused]] const auto id = journal->begin("part-file", "nas", "two");
  const auto next = open("run2");
  EXPECT_THAT(locators(*next), ElementsAre("two"));
  EXPECT_THAT(next->damaged_lines(), IsEmpty());
}

TEST_F(JournalFile, RefusesAPathThatJsonCannotHold) {
  const auto journal = open("run1");

  EXPECT_THROW([[maybe_unused]] auto id = journal->begin("gpg-home", "gpg", "/run/\xff"), Error);
}

TEST_F(JournalFile, SortsOutEntriesOfSeveralThreads) {
  const auto journal = open("run1");
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&journal] {
        for (int n = 0; n < 20; ++n) {
          const std::uint64_t id = journal->begin("part-file", "nas", "x");
          if (n % 2 == 0) journal->end(id);
        }
      });
    }
  }

  EXPECT_EQ(open("run2")->open_entries().size(), 40U);
}

}  // namespace
}  // namespace bp::test
