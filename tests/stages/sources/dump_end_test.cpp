#include "stages/sources/dump_end.hpp"

#include <gtest/gtest.h>

#include <string>

namespace bp::stages {
namespace {

bool ends(const std::string& text, std::size_t step = 1'000'000,
          const std::string& mark = "-- Dump completed") {
  DumpEnd end{mark};
  const auto bytes = std::as_bytes(std::span{text});
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    end.saw(bytes.subspan(at, std::min(step, bytes.size() - at)));
  }
  return end.is_there();
}

TEST(DumpEnd, FindsTheMarkWhereverTheChunksAreCut) {
  const std::string dump = "INSERT …;\n-- Dump completed on 2026-11-23  2:00:00\n";
  for (std::size_t step = 1; step <= dump.size(); ++step) EXPECT_TRUE(ends(dump, step)) << step;
}

TEST(DumpEnd, NeedNotBeTheLastLine) {
  EXPECT_TRUE(ends("x\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict aBcD\n\n", 7,
                   "-- PostgreSQL database dump complete"));
}

TEST(DumpEnd, IsMissingFromEveryCutDump) {
  const std::string dump = "INSERT …;\n-- Dump completed";
  for (std::size_t size = 0; size < dump.size(); ++size) {
    EXPECT_FALSE(ends(dump.substr(0, size))) << size;
  }
}

TEST(DumpEnd, IsNoneInTheMiddleOfALine) {
  EXPECT_FALSE(ends("INSERT INTO `t` VALUES ('-- Dump completed');\n"));
}

TEST(DumpEnd, IsNoneFarFromTheEnd) {
  EXPECT_FALSE(ends("x\n-- Dump completed\n" + std::string(5000, 'x'), 100));
  EXPECT_FALSE(ends("x\n-- Dump completed\n" + std::string(5000, 'x')));
}

TEST(DumpEnd, AFormatWithoutAMarkAlwaysEndsWell) {
  EXPECT_TRUE(ends("PGDMP", 2, ""));
}

}  // namespace
}  // namespace bp::stages
