#include "bench/table.hpp"

#include "engine/error.hpp"

#include <gtest/gtest.h>

namespace bp::bench {
namespace {

Table two_stages() {
  Table table{{"stage", "MB/s", "note"}};
  table.add({"gzip", "180"});
  table.add({"größe", "9"});
  return table;
}

TEST(Table, PutsWordsLeftAndFiguresRight) {
  EXPECT_EQ(two_stages().text(),
            "stage  MB/s  note\n"
            "gzip    180\n"
            "größe     9\n");
}

TEST(Table, IsMarkdownWithAllItsCells) {
  EXPECT_EQ(two_stages().markdown(),
            "| stage | MB/s | note |\n"
            "|---|--:|--:|\n"
            "| gzip  |  180 |      |\n"
            "| größe |    9 |      |\n");
}

TEST(Table, KeepsBarsFromEndingAMarkdownCell) {
  Table table{{"beside"}};
  table.add({"tar | gpg"});
  EXPECT_EQ(table.markdown(),
            "| beside     |\n"
            "|---|\n"
            "| tar \\| gpg |\n");
}

TEST(Table, RefusesARowThatIsTooLong) {
  Table table{{"one"}};
  EXPECT_THROW(table.add({"one", "two"}), Error);
}

}  // namespace
}  // namespace bp::bench
