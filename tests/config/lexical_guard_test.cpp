#include "config/lexical_guard.hpp"

#include "config/document.hpp"
#include "engine/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace bp::config {
namespace {

/// What the guard and, behind it, the parser say.
std::string refusal(std::string_view text) {
  try {
    (void)parse_toml(text, "job.toml");
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::config);
    return error.what();
  }
}

/// "a.a.a. …": 100 KB of it overflow the stack of toml++ 3.3.
std::string dotted_key() {
  std::string key = "a";
  for (int i = 0; i < 50'000; ++i) key += ".a";
  return key;
}

TEST(GuardToml, RefusesKeysAndArraysThatWouldOverflowTheParsersStack) {
  EXPECT_EQ(refusal(dotted_key() + " = 1"), "job.toml:1:66: more than 32 dots on one line");
  EXPECT_EQ(refusal("[" + dotted_key() + "]"), "job.toml:1:67: more than 32 dots on one line");
  EXPECT_EQ(refusal("a = " + std::string(100'000, '[')),
            "job.toml:1:37: more than 32 brackets on one line");
  EXPECT_EQ(refusal("a = " + std::string(33, '{')),
            "job.toml:1:37: more than 32 brackets on one line");
}

TEST(GuardToml, CountsBracketsThatStayOpenOverLines) {
  std::string nested = "a = ";
  for (int i = 0; i < 100; ++i) nested += "[\n";
  EXPECT_EQ(refusal(nested), "job.toml:33:1: more than 32 brackets open at once");

  std::string opened_and_closed = "a = [\n";
  for (int i = 0; i < 100; ++i) opened_and_closed += "[[1]],\n";
  EXPECT_EQ(refusal(opened_and_closed + "]\n"), "accepted");
}

TEST(GuardToml, RefusesALargeTextBeforeLookingAtIt) {
  EXPECT_EQ(refusal(std::string(max_job_file_bytes + 1, '\0')), "job.toml: larger than 256 KiB");
  EXPECT_EQ(refusal("#" + std::string(max_job_file_bytes - 1, 'x')), "accepted");
}

TEST(GuardToml, RefusesControlCharactersWhereverTheyAre) {
  EXPECT_EQ(refusal(std::string_view{"a = 1\0", 6}), "job.toml:1:6: control character 0x00");
  EXPECT_EQ(refusal("a = \"x\x1b[31m\""), "job.toml:1:7: control character 0x1B");
  EXPECT_EQ(refusal(std::string_view{"a = \"\\\0\"", 8}), "job.toml:1:6: control character 0x00");
  EXPECT_EQ(refusal("# \x07"), "job.toml:1:3: control character 0x07");
  EXPECT_EQ(refusal("a = '''\n\x0c'''"), "job.toml:2:1: control character 0x0C");
  EXPECT_EQ(refusal("a = 1 \x7f"), "job.toml:1:7: control character 0x7F");
}

TEST(GuardToml, LetsDotsAndBracketsInStringsAndCommentsPass) {
  const std::string many(100, '.');
  const std::string open(100, '[');
  EXPECT_EQ(refusal("a = \"" + many + open + "\" # " + many + open + "\n"), "accepted");
  EXPECT_EQ(refusal("a = '" + many + open + "'\n"), "accepted");
  EXPECT_EQ(refusal("a = '''\n" + many + "\n" + open + "'''\n"), "accepted");
  EXPECT_EQ(refusal("a = \"\"\"\n" + many + "\\\"\n" + open + "\"\"\"\n"), "accepted");
  EXPECT_EQ(refusal("a = \"\\\"" + many + "\"\n"), "accepted");
}

struct HiddenKey {
  const char* before;
  const char* after;
};

// Each makes a careless scanner believe that the key between the two parts is within a string.
TEST(GuardToml, IsNotToldThatAKeyIsPartOfAString) {
  for (const HiddenKey& one : {HiddenKey{R"(a = {x = """q"""", )", R"( = 1, y = """q""""})"},
                               {R"(a = {x = """q""""", )", R"( = 1, y = """q"""""})"},
                               {"a = {x = '''q'''', ", " = 1, y = '''q''''}"},
                               {R"(a = {x = """"""", )", R"( = 1, y = """"""""})"},
                               {R"(a = {x = "\\", )", R"( = 1, y = "\\"})"},
                               {R"(a = {x = '\', )", R"( = 1, y = '\'})"},
                               {R"(a = {x = "", )", R"( = 1, y = ""})"},
                               {"a = {x = '', ", " = 1, y = ''}"},
                               {R"(a = {x = """\"""", )", R"( = 1, y = """\""""})"},
                               {"a = '''\n''' # '''\n", " = 1"}}) {
    EXPECT_TRUE(
        refusal(one.before + dotted_key() + one.after).ends_with("more than 32 dots on one line"))
        << one.before;
  }
}

TEST(GuardToml, LimitsTheDotsOfALineEvenWithinStrings) {
  EXPECT_EQ(refusal("a = \"" + std::string(1024, '.') + "\"\n"), "accepted");
  EXPECT_EQ(refusal("a = \"" + std::string(1025, '.') + "\"\n"),
            "job.toml:1:1030: more than 1024 dots on one line");
  EXPECT_EQ(refusal("# x\r" + dotted_key() + " = 1\n"),
            "job.toml:1:2054: more than 1024 dots on one line");
}

}  // namespace
}  // namespace bp::config
