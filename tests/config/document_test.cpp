#include "config/document.hpp"

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

TEST(ParseToml, RefusesControlCharactersWrittenAsEscapes) {
  EXPECT_EQ(refusal("a = \"x\\u001b[31m\"\n"),
            "job.toml:1:5: a string with a control character other than tab and line break");
  EXPECT_EQ(refusal("\"a\\nb\" = 1\n"), "job.toml:1:1: a key with a control character");
  EXPECT_EQ(refusal("a = \"tab\\t line\\n\"\nb = \"\"\"\n1\n2\n\"\"\"\n"), "accepted");
}

TEST(ParseToml, RepeatsNoValueThatItCannotRead) {
  EXPECT_EQ(refusal("passphrase = 99999999999999999999\n"),
            "job.toml:1:34: this value is not representable in 64 bits");
  EXPECT_EQ(refusal("passphrase = 1e400\n"),
            "job.toml:1:19: this value could not be interpreted as a value");
  EXPECT_EQ(refusal("passphrase = hunter2\n"), "job.toml:1:14: could not determine value type");
}

TEST(ParseToml, KeepsADollarAsItIs) {
  const Table root = parse_toml("a = \"$HOME ${x} $$\"\n", "job.toml");
  EXPECT_EQ(std::get<std::string>(root.entries.at(0).value->data()), "$HOME ${x} $$");
}

TEST(ParseToml, RefusesInvalidUtf8) {
  EXPECT_EQ(refusal("a = \"\xff\xfe\"\n"), "job.toml:1:5: Encountered invalid utf-8 sequence");
  EXPECT_EQ(refusal("# \xed\xa0\x80\n"), "job.toml:1:2: Encountered invalid utf-8 sequence");
}

}  // namespace
}  // namespace bp::config
