#include "stages/store/history.hpp"

#include "stages/support/utc_time.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace bp::test {
namespace {

using stages::History;
using stages::SizeRecord;

SizeRecord record(std::string run, std::string source, std::uint64_t bytes,
                  Outcome outcome = Outcome::stored) {
  SizeRecord made;
  made.run_id = std::move(run);
  made.source_id = std::move(source);
  made.ended = *stages::parse_utc("2026-11-23T02:10:00Z");
  made.raw_bytes = bytes;
  made.stored_bytes = {{"nas", bytes / 2}, {"offsite", bytes / 3}};
  made.outcome = outcome;
  return made;
}

struct HistoryFile : testing::Test {
  TemporaryFolder folder;
  const std::filesystem::path path = folder / "history.jsonl";
};

TEST_F(HistoryFile, RemembersEveryFieldAcrossRuns) {
  History{path}.add(record("run1", "etc", 18'446'744'073'709'551'615U, Outcome::partly_stored));

  const History read{path};

  ASSERT_EQ(read.records().size(), 1U);
  const SizeRecord& found = read.records()[0];
  EXPECT_EQ(found.run_id, "run1");
  EXPECT_EQ(found.source_id, "etc");
  EXPECT_EQ(stages::utc_text(found.ended), "2026-11-23T02:10:00Z");
  EXPECT_EQ(found.raw_bytes, 18'446'744'073'709'551'615U);
  EXPECT_EQ(found.stored_bytes.at("nas"), 9'223'372'036'854'775'807U);
  EXPECT_EQ(found.outcome, Outcome::partly_stored);
}

TEST_F(HistoryFile, ComparesWithTheLastGoodRunOfTheSameSource) {
  History history{path};
  history.add(record("run1", "etc", 100));
  history.add(record("run2", "etc", 200, Outcome::stored_with_warnings));
  history.add(record("run2", "db", 999));
  history.add(record("run3", "etc", 3, Outcome::failed));
  history.add(record("run4", "etc", 4, Outcome::cancelled));
  history.add(record("run5", "etc", 5, Outcome::partly_stored));

  EXPECT_EQ(History{path}.last_good("etc"), 200U);
  EXPECT_EQ(History{path}.last_good("mail"), std::nullopt);
}

TEST_F(HistoryFile, ForgetsTheOldestButNotTheLastGoodOfASource) {
  History history{path, 10};
  history.add(record("run0", "yearly", 7));
  for (int i = 0; i < 30; ++i) history.add(record("run" + std::to_string(i), "etc", 100));

  const History read{path};
  EXPECT_EQ(read.records().size(), 10U);
  EXPECT_EQ(read.last_good("yearly"), 7U);
  EXPECT_EQ(read.records().back().run_id, "run29");
  EXPECT_EQ(read.records()[1].run_id, "run21");
}

TEST_F(HistoryFile, ForgetsLinesThatMakeNoSense) {
  History{path}.add(record("run1", "etc", 100));
  write_text(path, "{}\nnonsense\n[1,2]\n" + read_text(path) + "{\"run\":\"run2\",\"sou");

  History history{path};
  ASSERT_EQ(history.records().size(), 1U);
  history.add(record("run3", "etc", 300));

  EXPECT_EQ(History{path}.records().size(), 2U);
  EXPECT_EQ(History{path}.last_good("etc"), 300U);
}

TEST_F(HistoryFile, ReadsALastLineWithoutItsEnd) {
  History{path}.add(record("run1", "etc", 100));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);

  EXPECT_EQ(History{path}.last_good("etc"), 100U);
}

}  // namespace
}  // namespace bp::test
