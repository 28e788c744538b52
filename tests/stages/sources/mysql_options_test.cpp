#include "stages/sources/mysql_options.hpp"

#include "tests/support/server.hpp"
#include "tests/support/source_run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace bp::stages {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

test::MadeSource made(const std::string& toml) {
  return test::make_source("mysql", toml);
}
std::vector<std::string> argv(const std::string& toml) {
  const test::MadeSource source = made(toml);
  EXPECT_EQ(source.problems, "");
  return source.type.argv;
}
std::vector<std::string> behind_dashes(const std::vector<std::string>& argv) {
  return {std::ranges::find(argv, "--"), argv.end()};
}

TEST(MysqlOptions, OneDatabaseIsDumpedWithAllThatBelongsToIt) {
  const std::vector<std::string> line = argv("dbname = 'shop'");
  EXPECT_THAT(line, IsSupersetOf({"--single-transaction", "--events", "--routines", "--triggers",
                                  "--hex-blob"}));
  EXPECT_THAT(behind_dashes(line), ElementsAre("--", "shop"));
  EXPECT_EQ(made("dbname = 'shop'").type.extension, ".sql");
}

TEST(MysqlOptions, NoeventsIsTheOldWordForNoEvents) {
  EXPECT_THAT(argv("dbname = 'shop'\nnoevents = true"), Contains("--skip-events"));
  EXPECT_THAT(argv("dbname = 'shop'\nevents = false"), Contains("--skip-events"));
  EXPECT_THAT(made("dbname = 'shop'\nevents = true\nnoevents = true").problems,
              HasSubstr("contradict"));
}

TEST(MysqlOptions, TablesFollowTheirDatabase) {
  EXPECT_THAT(behind_dashes(argv("dbname = 'shop'\ntables = ['a', 'b']")),
              ElementsAre("--", "shop", "a", "b"));
  EXPECT_THAT(made("databases = ['shop']\ntables = ['a']").problems, HasSubstr("needs 'dbname'"));
}

TEST(MysqlOptions, SeveralDatabasesAreMadeByTheDump) {
  const std::vector<std::string> line = argv("databases = ['shop', 'wiki']");
  EXPECT_THAT(line, Contains("--databases"));
  EXPECT_THAT(behind_dashes(line), ElementsAre("--", "shop", "wiki"));
  EXPECT_THAT(argv("all_databases = true"), Contains("--all-databases"));
}

TEST(MysqlOptions, IgnoredTablesGetTheirDatabase) {
  EXPECT_THAT(argv("dbname = 'shop'\nignore_tables = ['log', 'shop.tmp']"),
              IsSupersetOf({"--ignore-table=shop.log", "--ignore-table=shop.tmp"}));
  EXPECT_THAT(made("all_databases = true\nignore_tables = ['log']").problems,
              HasSubstr("does not say which database"));
}

TEST(MysqlOptions, OptionFilesComeFirst) {
  EXPECT_EQ(argv("dbname = 'shop'\nhost = 'db'\ndefaults = '/etc/my-backup.cnf'")[1],
            "--defaults-file=/etc/my-backup.cnf");
  EXPECT_EQ(argv("dbname = 'shop'\nuser = 'u'\npassword = 'canary'")[1],
            "--defaults-file=/proc/self/fd/3");
}

TEST(MysqlOptions, ThePasswordIsInNoArgument) {
  for (const std::string& argument : argv("dbname = 'shop'\npassword = 'canary'")) {
    EXPECT_THAT(argument, Not(HasSubstr("canary")));
  }
}

TEST(MysqlOptions, TheServersCertificateIsVerifiedOnceThereIsAnAuthority) {
  EXPECT_THAT(argv("dbname = 'shop'\nssl_ca = '/etc/ca.pem'"),
              IsSupersetOf({"--ssl-ca=/etc/ca.pem", "--ssl", "--ssl-verify-server-cert"}));
  EXPECT_THAT(argv("dbname = 'shop'"), Not(Contains("--ssl")));
}

TEST(MysqlOptions, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "what to dump is not said"},
      {"dbname = 'a'\nall_databases = true", "said twice"},
      {"dbname = '-rf'", "'-rf' begins with '-'"},
      {"databases = ['a', '--all']", "'--all' begins with '-'"},
      {"databases = []", "'databases' is empty"},
      {"dbname = 'a'\nhost = '-x'", "begins with '-'"},
      {"dbname = 'a'\nhost = 'b'\nsocket = '/s'", "exclude each other"},
      {"dbname = 'a'\ndefaults = '/d'\npassword = 'p'", "exclude each other"},
      {"dbname = 'a'\nextra_args = ['b']", "'b' is no option"},
      {"dbname = 'a'\nextra_args = ['--']", "'--' is no option"}};
  for (const auto& [toml, message] : cases) {
    EXPECT_THAT(made(toml).problems, HasSubstr(message)) << toml;
  }
}

TEST(MysqlOptions, RefusesArgumentsThatWouldMakeABadDumpLookGood) {
  for (const char* const argument :
       {"--force", "-f", "--forc", "--skip-comments", "--skip_comments", "--compact",
        "--comments=0", "--result-file=/tmp/x", "-r/tmp/x", "--tab=/tmp", "-psecret",
        "--password=secret", "--defaults-extra-file=/x", "--xml"}) {
    EXPECT_THAT(made(fmt::format("dbname = 'a'\nextra_args = ['{}']", argument)).problems,
                HasSubstr("is refused"))
        << argument;
  }
}

TEST(MysqlOptions, PassesOtherArgumentsOn) {
  const std::vector<std::string> line =
      argv("dbname = 'a'\nextra_args = ['--where=id > 5', '--no-tablespaces', '--tz-utc', '-K']");
  EXPECT_THAT(line, IsSupersetOf({"--where=id > 5", "--no-tablespaces", "--tz-utc", "-K"}));
  EXPECT_THAT(behind_dashes(line), ElementsAre("--", "a"));
}

TEST(MysqlOptions, ARehearsalDumpsNoDataAndNowhere) {
  MysqlOptions options;
  options.databases = {"shop"};
  EXPECT_THAT(dump_argv(options, true), IsSupersetOf({"--no-data", "--result-file=/dev/null"}));
}

TEST(MysqlOptions, AnOptionFileHoldsAnyPassword) {
  EXPECT_EQ(option_file(config::Secret{R"(a"b\c #;')"}).reveal(),
            "[client]\npassword=\"a\\\"b\\\\c #;'\"\n");
}

TEST(MysqlOptions, TheClientsReadAnyPasswordAsItWasWritten) {
  if (!test::is_installed("command -v my_print_defaults")) {
    if (test::must_run()) FAIL() << "no my_print_defaults";
    GTEST_SKIP() << "no my_print_defaults";
  }
  const test::TemporaryFolder folder;
  for (const std::string password :
       {R"(a"b\c #;')", "  blanks  ", R"(\n\t\s\\)", "#x", "'quoted'", "\"", "[mysqld]", "!include",
        "\xc3\xa4\xe2\x82\xac", "two\nlines"}) {
    test::write_text(folder / "my.cnf", option_file(config::Secret{password}).reveal());
    EXPECT_EQ(test::shell("my_print_defaults --defaults-file='" + (folder / "my.cnf").string() +
                          "' client"),
              "--password=" + password + "\n");
  }
}

}  // namespace
}  // namespace bp::stages
