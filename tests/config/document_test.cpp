#include "config/document.hpp"

#include "config/lexical_guard.hpp"
#include "engine/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace bp::config {
namespace {

std::string refusal(std::string_view text) {
  try {
    (void)parse_toml(text, "job.toml");
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::config);
    return error.what();
  }
}

TEST(ParseToml, KeepsTheOrderAndThePlacesOfTheFile) {
  const Table root = parse_toml("zebra = 1\n\n[job]\n  name = \"x\"\nalpha = true\n", "job.toml");

  ASSERT_EQ(root.entries.size(), 2U);
  EXPECT_EQ(root.entries[0].key, "zebra");
  const Table& job = std::get<Table>(root.find("job")->value->data());
  ASSERT_EQ(job.entries.size(), 2U);
  EXPECT_EQ(job.entries[0].key, "name");
  EXPECT_EQ(job.entries[0].location.text(), "job.toml:4:3");
  EXPECT_EQ(job.entries[1].location.text(), "job.toml:5:1");
  EXPECT_EQ(std::get<std::string>(job.entries[0].value->data()), "x");
}

TEST(ParseToml, NamesThePlaceOfASyntaxError) {
  EXPECT_TRUE(refusal("[job]\nname = \n").starts_with("job.toml:2:"))
      << refusal("[job]\nname = \n");
  EXPECT_TRUE(refusal("a = 1\na = 2\n").starts_with("job.toml:2:"));
}

TEST(ParseToml, RefusesDatesAndNulCharacters) {
  EXPECT_EQ(refusal("a = 2026-11-23\n"),
            "job.toml:1:5: dates and times are not used in job files; write a string");
  EXPECT_EQ(refusal("a = \"x\\u0000y\"\n"), "job.toml:1:5: a string with a NUL character");
}

TEST(GuardToml, RefusesWhatWouldCrashTheParserBeforeItSeesIt) {
  std::string dotted = "a";
  for (int i = 0; i < 50'000; ++i) dotted += ".a";
  EXPECT_EQ(refusal(dotted + " = 1"), "job.toml:1:66: more than 32 dots on one line");
  EXPECT_EQ(refusal("[" + dotted + "]"), "job.toml:1:67: more than 32 dots on one line");
  EXPECT_EQ(refusal("a = " + std::string(100'000, '[')),
            "job.toml:1:37: more than 32 brackets on one line");
  std::string nested = "a = ";
  for (int i = 0; i < 100; ++i) nested += "[\n";
  EXPECT_EQ(refusal(nested), "job.toml:33:1: more than 32 brackets open at once");
  EXPECT_EQ(refusal(std::string(300 << 10, '#')), "job.toml: larger than 256 KiB");
  EXPECT_EQ(refusal(std::string_view{"a = 1\0", 6}), "job.toml:1:6: control character 0x00");
  EXPECT_EQ(refusal("a = \"x\x1b[31m\""), "job.toml:1:7: control character 0x1B");
}

TEST(GuardToml, IsNotFooledByQuotesAtTheEndOfAMultiLineString) {
  std::string dotted = "a";
  for (int i = 0; i < 50'000; ++i) dotted += ".a";
  EXPECT_EQ(refusal("x = \"\"\"q\"\"\"\"\n" + dotted + " = 1"),
            "job.toml:2:66: more than 32 dots on one line");
  EXPECT_EQ(refusal("x = \"" + dotted + "\""), "job.toml:1:2055: more than 1024 dots on one line");
}

TEST(GuardToml, LetsDotsAndBracketsInStringsAndCommentsPass) {
  const std::string many(100, '.');
  EXPECT_EQ(refusal("a = \"" + many + "\" # " + many + "\nb = '" + many + "'\nc = '''\n" + many +
                    "\n'''\nd = \"\\\"" + many + "\"\n"),
            "accepted");
}

TEST(ParseToml, RefusesInvalidUtf8) {
  EXPECT_TRUE(refusal("a = \"\xff\xfe\"\n").starts_with("job.toml:1:"))
      << refusal("a = \"\xff\xfe\"\n");
}

}  // namespace
}  // namespace bp::config
