#include "stages/sources/postgresql_options.hpp"

#include "engine/error.hpp"
#include "tests/support/source_run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

test::MadeSource made(const std::string& toml) {
  return test::make_source("postgresql", toml);
}
std::vector<std::string> argv(const std::string& toml) {
  const test::MadeSource source = made(toml);
  EXPECT_EQ(source.problems, "");
  return source.type.argv;
}

TEST(PostgresqlOptions, OneDatabaseIsDumpedAsText) {
  EXPECT_THAT(argv("dbname = 'shop'\nhost = 'db'\nport = 5433\nuser = 'u'"),
              ElementsAre("pg_dump", "--no-password", "--host=db", "--port=5433", "--username=u",
                          "--format=plain", "--strict-names", "--dbname=shop"));
  EXPECT_EQ(made("dbname = 'shop'").type.extension, ".sql");
}

TEST(PostgresqlOptions, TheCustomFormatIsLeftForThePipelineToCompress) {
  EXPECT_THAT(argv("dbname = 'shop'\nformat = 'custom'"),
              IsSupersetOf({"--format=custom", "--compress=0"}));
  EXPECT_EQ(made("dbname = 'shop'\nformat = 'custom'").type.extension, ".dump");
}

TEST(PostgresqlOptions, TheClusterAndItsGlobalsAreForPgDumpall) {
  EXPECT_THAT(argv("all_databases = true"), ElementsAre("pg_dumpall", "--no-password"));
  EXPECT_THAT(argv("globals = true"), ElementsAre("pg_dumpall", "--no-password", "--globals-only"));
}

TEST(PostgresqlOptions, PartsAreNamed) {
  EXPECT_THAT(argv("dbname = 'shop'\nschemas = ['a', 'b*']\nexclude_tables = ['a.log']"),
              IsSupersetOf({"--schema=a", "--schema=b*", "--exclude-table=a.log"}));
}

TEST(PostgresqlOptions, ThePasswordIsInNoArgument) {
  for (const std::string& argument : argv("dbname = 'shop'\npassword = 'canary'")) {
    EXPECT_THAT(argument, Not(HasSubstr("canary")));
  }
}

TEST(PostgresqlOptions, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "what to dump is not said"},
      {"dbname = 'a'\nglobals = true", "said twice"},
      {"dbname = '-rf'", "'-rf' begins with '-'"},
      {"dbname = 'host=evil dbname=a'", "a connection string is no name"},
      {"dbname = 'postgresql://evil/a'", "a connection string is no name"},
      {"all_databases = true\nschemas = ['a']", "'schemas' needs 'dbname'"},
      {"globals = true\nformat = 'custom'", "'format' needs 'dbname'"},
      {"dbname = 'a'\nextra_args = ['b']", "'b' is no option"}};
  for (const auto& [toml, message] : cases) {
    EXPECT_THAT(made(toml).problems, HasSubstr(message)) << toml;
  }
}

TEST(PostgresqlOptions, RefusesArgumentsThatTakeTheDumpAway) {
  for (const char* const argument :
       {"--file=/tmp/x", "-f/tmp/x", "--jobs=4", "--format=d", "-Fd", "--dbname=x", "--password"}) {
    EXPECT_THAT(made(fmt::format("dbname = 'a'\nextra_args = ['{}']", argument)).problems,
                HasSubstr("is refused"))
        << argument;
  }
}

TEST(PostgresqlOptions, ARehearsalDumpsNoDataAndNowhere) {
  PostgresqlOptions options;
  options.database = "shop";
  options.custom = true;
  EXPECT_THAT(dump_argv(options, true),
              IsSupersetOf({"--schema-only", "--file=/dev/null", "--format=plain"}));
  options.scope = PostgresqlOptions::Scope::globals;
  EXPECT_THAT(dump_argv(options, true), Not(Contains("--schema-only")));
}

TEST(PostgresqlOptions, APasswordFileHoldsAnyPasswordOfOneLine) {
  EXPECT_EQ(password_file_text(config::Secret{R"(a:b\c)"}).reveal(), "*:*:*:*:a\\:b\\\\c\n");
  EXPECT_THROW((void)password_file_text(config::Secret{"a\nb"}), Error);
}

}  // namespace
}  // namespace bp::stages
