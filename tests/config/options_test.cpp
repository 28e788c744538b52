#include "config/options.hpp"

#include "engine/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace bp::config {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

/// Reads the keys of one table, in which all problems but those of `read` are absent.
std::string complaint(const std::string& text, const std::function<void(OptionReader&)>& read,
                      bool literal_secrets_ok = true) {
  const Table table = parse_toml(text, "job.toml");
  Diagnostics diagnostics;
  OptionReader options{table, "filter.x", diagnostics, literal_secrets_ok};
  read(options);
  options.finish();
  std::string lines;
  for (const Diagnostic& diagnostic : diagnostics.all()) lines += diagnostic.text() + "\n";
  if (!lines.empty()) lines.pop_back();
  return lines;
}

TEST(OptionReader, ReadsEveryTypeOfValue) {
  const std::string problems = complaint(
      R"(text = "a$b"
choice = "two"
integer = -3
flag = true
size = "1.5 KiB"
bytes = 65536
duration = "2h30m"
seconds = 90
list = ["a", "b"]
one = "a"
codes = [0, 24]
argv = ["tar", "-x"]
env = { LC_ALL = "C", _X1 = "" }
)",
      [](OptionReader& options) {
        EXPECT_EQ(options.text("text"), "a$b");
        EXPECT_EQ(options.choice("choice", "one", {"one", "two"}), "two");
        EXPECT_EQ(options.integer("integer", {.fallback = {}, .min = -5, .max = 5}), -3);
        EXPECT_TRUE(options.flag("flag", false));
        EXPECT_EQ(options.size("size", 1), 1536U);
        EXPECT_EQ(options.optional_size("bytes"), 65'536U);
        EXPECT_EQ(options.duration("duration", seconds{1}), seconds{9000});
        EXPECT_EQ(options.optional_duration("seconds"), seconds{90});
        EXPECT_THAT(options.list("list"), ElementsAre("a", "b"));
        EXPECT_THAT(options.list("one"), ElementsAre("a"));
        EXPECT_THAT(options.integers("codes", {}, 0, 255), ElementsAre(0, 24));
        EXPECT_THAT(options.argv("argv"), ElementsAre("tar", "-x"));
        EXPECT_THAT(options.environment("env"), ElementsAre(Pair("LC_ALL", "C"), Pair("_X1", "")));
      });
  EXPECT_EQ(problems, "");
}

TEST(OptionReader, FallsBackForWhatIsNotWritten) {
  const std::string problems = complaint("", [](OptionReader& options) {
    EXPECT_FALSE(options.has("x"));
    EXPECT_EQ(options.text("x", "y"), "y");
    EXPECT_EQ(options.optional_text("x"), std::nullopt);
    EXPECT_EQ(options.choice("x", "one", {"one", "two"}), "one");
    EXPECT_EQ(options.integer("x", {.fallback = 7, .min = 0, .max = 9}), 7);
    EXPECT_TRUE(options.flag("x", true));
    EXPECT_EQ(options.size("x", 12), 12U);
    EXPECT_EQ(options.optional_size("x"), std::nullopt);
    EXPECT_EQ(options.duration("x", seconds{5}), seconds{5});
    EXPECT_EQ(options.optional_duration("x"), std::nullopt);
    EXPECT_THAT(options.list("x"), IsEmpty());
    EXPECT_THAT(options.paths("x"), IsEmpty());
    EXPECT_THAT(options.integers("x", {1}, 0, 255), ElementsAre(1));
    EXPECT_THAT(options.environment("x"), IsEmpty());
    EXPECT_FALSE(options.optional_secret("x").has_value());
  });
  EXPECT_EQ(problems, "");
}

struct Mistake {
  const char* text;
  std::function<void(OptionReader&)> read;
  const char* message;
};

class OptionMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(OptionMistakes, AreToldWithPlaceAndRemedy) {
  EXPECT_EQ(complaint(GetParam().text, GetParam().read), GetParam().message) << GetParam().text;
}

const auto text = [](OptionReader& options) { (void)options.text("x"); };
const auto choice = [](OptionReader& options) { (void)options.choice("x", "one", {"one", "two"}); };
const auto level = [](OptionReader& options) {
  (void)options.integer("x", {.fallback = 6, .min = 1, .max = 12});
};
const auto flag = [](OptionReader& options) { (void)options.flag("x", false); };
const auto size = [](OptionReader& options) { (void)options.size("x", 1); };
const auto duration = [](OptionReader& options) { (void)options.duration("x", seconds{1}); };
const auto list = [](OptionReader& options) { (void)options.list("x"); };
const auto names = [](OptionReader& options) { (void)options.names("x"); };
const auto codes = [](OptionReader& options) { (void)options.integers("x", {}, 0, 255); };
const auto argv = [](OptionReader& options) { (void)options.argv("x"); };
const auto env = [](OptionReader& options) { (void)options.environment("x"); };
const auto secret = [](OptionReader& options) { (void)options.secret("x"); };
const auto two_keys = [](OptionReader& options) {
  options.accept("level");
  options.accept("type");
};

constexpr const char* no_size =
    R"(job.toml:1:5: 'x' must be a size (like "64MiB", "1.5GB" or a number of bytes))";
constexpr const char* no_duration =
    R"(job.toml:1:5: 'x' must be a duration (like "90s", "5m", "2h30m" or a number of seconds))";
constexpr const char* no_secret =
    R"(job.toml:1:5: 'x' must be a secret ({ file = "/path" }, { env = "NAME" }, )"
    R"({ command = ["pass", "show", "x"] }, { credential = "x" } or a string))";

INSTANTIATE_TEST_SUITE_P(
    Table, OptionMistakes,
    ::testing::Values(
        Mistake{"", text, "job.toml:1:1: [filter.x] needs 'x'"},
        Mistake{"x = \"\"", text, "job.toml:1:1: 'x' is empty"},
        Mistake{"x = 1", text, "job.toml:1:5: 'x' must be a string, not an integer"},
        Mistake{"x = [1]", text, "job.toml:1:5: 'x' must be a string, not an array"},
        Mistake{"x = 'three'", choice, "job.toml:1:5: 'x' must be one of one, two, not 'three'"},
        Mistake{"x = 'tow'", choice,
                "job.toml:1:5: 'x' must be one of one, two, not 'tow' (did you mean 'two'?)"},
        Mistake{"x = 40", level, "job.toml:1:5: 'x' must be between 1 and 12, not 40"},
        Mistake{"x = 0", level, "job.toml:1:5: 'x' must be between 1 and 12, not 0"},
        Mistake{"x = '6'", level, "job.toml:1:5: 'x' must be an integer, not a string"},
        Mistake{"x = 6.0", level, "job.toml:1:5: 'x' must be an integer, not a number"},
        Mistake{"x = 'yes'", flag, "job.toml:1:5: 'x' must be true or false, not a string"},
        Mistake{"x = 1", flag, "job.toml:1:5: 'x' must be true or false, not an integer"},
        Mistake{"x = -1", size, no_size}, Mistake{"x = 'many'", size, no_size},
        Mistake{"x = 1.5", size, no_size}, Mistake{"x = true", size, no_size},
        Mistake{"x = -1", duration, no_duration}, Mistake{"x = '5 parsecs'", duration, no_duration},
        Mistake{"x = {}", list, "job.toml:1:5: 'x' must be an array of strings, not a table"},
        Mistake{"x = ['a', 2]", list, "job.toml:1:11: 'x' must hold strings, not an integer"},
        Mistake{"x = ['a', 'b', 'a', 'a']", names, "job.toml:1:1: 'a' is twice in 'x'"},
        Mistake{"x = 1", codes, "job.toml:1:5: 'x' must be an array of integers, not an integer"},
        Mistake{"x = [0, 256]", codes, "job.toml:1:9: 'x' must hold integers between 0 and 255"},
        Mistake{"x = [0, '1']", codes, "job.toml:1:9: 'x' must hold integers between 0 and 255"},
        Mistake{"", argv, "job.toml:1:1: [filter.x] needs 'x'"},
        Mistake{"x = []", argv, "job.toml:1:1: 'x' names no program"},
        Mistake{"x = ['']", argv, "job.toml:1:1: 'x' names no program"},
        Mistake{
            "x = 'tar x'", argv,
            "job.toml:1:5: 'x' must be an array: the program and its arguments (no shell is ever "
            "used: write [\"program\", \"argument\"])"},
        Mistake{"x = []", env, "job.toml:1:5: 'x' must be a table of strings, not an array"},
        Mistake{"x = { 1A = 'b' }", env,
                "job.toml:1:7: '1A' in 'x' is no environment variable (like LC_ALL = \"C\")"},
        Mistake{"x = { A = 1 }", env,
                "job.toml:1:7: 'A' in 'x' is no environment variable (like LC_ALL = \"C\")"},
        Mistake{"x = { 'A=B' = 'c' }", env,
                "job.toml:1:7: 'A=B' in 'x' is no environment variable (like LC_ALL = \"C\")"},
        Mistake{"", secret, "job.toml:1:1: [filter.x] needs 'x'"},
        Mistake{"x = ''", secret, "job.toml:1:1: 'x' is empty"},
        Mistake{"x = 12345", secret, no_secret}, Mistake{"x = {}", secret, no_secret},
        Mistake{"x = { env = '' }", secret, no_secret},
        Mistake{"x = { env = 'A', file = 'b' }", secret, no_secret},
        Mistake{"x = { vault = 'A' }", secret, no_secret},
        Mistake{"x = { command = 'pass show x' }", secret, no_secret},
        Mistake{"x = { command = [] }", secret, no_secret},
        Mistake{"x = { credential = '../x' }", secret, no_secret},
        Mistake{"levle = 1", two_keys,
                "job.toml:1:1: unknown key 'levle' in [filter.x] (did you mean 'level'?)"},
        Mistake{"bucket = 1", two_keys,
                "job.toml:1:1: unknown key 'bucket' in [filter.x] (known: level, type)"}));

TEST(OptionReader, KnowsSecretsByWhereTheyAre) {
  const std::string problems = complaint(
      "a = { env = 'PASS' }\nb = { file = '/etc/pass' }\nc = { command = ['pass', 'show'] }\n"
      "d = { credential = 'x' }\ne = 'swordfish'\n",
      [](OptionReader& options) {
        EXPECT_EQ(options.secret("a")->describe(), "env PASS");
        EXPECT_EQ(options.secret("b")->describe(), "file /etc/pass");
        EXPECT_EQ(options.secret("c")->describe(), "command pass");
        EXPECT_EQ(options.secret("d")->describe(), "credential x");
        EXPECT_EQ(options.secret("e")->describe(), "written in the job file");
        EXPECT_EQ(options.secret("e")->where(), "job.toml:5:1: 'e'");
        for (const ResolvedOption& option : options.resolved())
          EXPECT_NE(option.value, "swordfish");
      });
  EXPECT_EQ(problems, "");
}

TEST(OptionReader, RefusesALiteralSecretInAFileThatOthersCanReadWithoutRepeatingIt) {
  EXPECT_EQ(
      complaint("x = 'swordfish'", secret, false),
      "job.toml:1:1: 'x' is written in a file that others can read (chmod 600 the job file, or use "
      "{ file = \"…\" })");
  EXPECT_EQ(complaint("x = { env = 'PASS' }", secret, false), "");
}

TEST(OptionReader, MakesPathsAbsoluteFromTheJobFilesFolder) {
  const Table table = parse_toml("a = 'x/../y'\nb = '/z'\nc = ['d', '/e']\ns = { file = 'pass' }\n",
                                 "/etc/backups/job.toml");
  Diagnostics diagnostics;
  OptionReader options{table, "source.x", diagnostics, true};
  EXPECT_EQ(options.path("a"), "/etc/backups/y");
  EXPECT_EQ(options.path("b"), "/z");
  EXPECT_THAT(options.paths("c"), ElementsAre("/etc/backups/d", "/e"));
  EXPECT_EQ(options.secret("s")->describe(), "file /etc/backups/pass");
}

}  // namespace
}  // namespace bp::config
