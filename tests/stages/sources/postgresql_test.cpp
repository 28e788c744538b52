#include "tests/support/server.hpp"
#include "tests/support/source_run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <memory>

namespace bp::stages {
namespace {

using test::run_source;
using test::SourceRun;
using test::text_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* password = R"(it's: "a\b")";

class PostgresqlSourceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!test::is_installed("ls /usr/lib/postgresql/*/bin/initdb && command -v pg_dump")) return;
    server = std::make_unique<test::Server>(TEST_SERVERS "/pg-up", "data/postmaster.pid", SIGINT);
    query("postgres", "CREATE DATABASE shop;");
    query("shop", R"sql(
CREATE TABLE "odd ""name""" (id INT PRIMARY KEY, b BYTEA, t TEXT);
INSERT INTO "odd ""name""" VALUES (1, '\x00ff', 'äöü😀');
CREATE TABLE big (t TEXT); INSERT INTO big SELECT repeat('x', 100000) FROM generate_series(1, 300);
CREATE SCHEMA closed; CREATE TABLE closed.t (id SERIAL);
CREATE TABLE policed (id INT); ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
CREATE ROLE full_ LOGIN BYPASSRLS PASSWORD 'it''s: "a\b"'; GRANT pg_read_all_data TO full_;
CREATE ROLE part LOGIN PASSWORD 'it''s: "a\b"';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO part;
ALTER ROLE test PASSWORD 'it''s: "a\b"';
)sql");
  }
  static void TearDownTestSuite() { server.reset(); }

  void SetUp() override {
    if (server) return;
    if (test::must_run()) FAIL() << "no PostgreSQL server or pg_dump";
    GTEST_SKIP() << "no PostgreSQL server or pg_dump";
  }
  void TearDown() override { EXPECT_TRUE(test::children_of_ours().empty()); }

  static std::string query(const std::string& database, const std::string& sql) {
    test::write_text(server->path() + "/query.sql", sql);
    return test::shell(
        fmt::format("psql -X -q -v ON_ERROR_STOP=1 -h {0} -p {1} -U test -d {2} "
                    "-f {0}/query.sql",
                    server->path(), server->port(), database));
  }
  static std::string login(const std::string& user) {
    return fmt::format("host = '127.0.0.1'\nport = {}\nuser = '{}'\npassword = '''{}'''\n",
                       server->port(), user, password);
  }
  static SourceRun dump(const std::string& user, const std::string& more = "dbname = 'shop'") {
    return run_source("postgresql", login(user) + more);
  }
  static std::string hint(const SourceRun& run) {
    return run.report.cause ? std::string{run.report.cause->hint()} : "";
  }

  static std::unique_ptr<test::Server> server;
};
std::unique_ptr<test::Server> PostgresqlSourceTest::server;

TEST_F(PostgresqlSourceTest, DumpsADatabaseAsText) {
  const SourceRun run = dump("full_");
  EXPECT_EQ(run.cause(), "");
  EXPECT_THAT(text_of(run.output),
              AllOf(HasSubstr(R"(CREATE TABLE public."odd ""name""")"), HasSubstr("äöü😀"),
                    HasSubstr("closed.t"), HasSubstr("PostgreSQL database dump complete")));
}

TEST_F(PostgresqlSourceTest, DumpsADatabaseInPgDumpsOwnFormat) {
  const SourceRun run = dump("full_", "dbname = 'shop'\nformat = 'custom'");
  EXPECT_EQ(run.cause(), "");
  EXPECT_THAT(text_of(run.output), StartsWith("PGDMP"));
}

TEST_F(PostgresqlSourceTest, DumpsTheClusterAndItsGlobals) {
  const SourceRun cluster = dump("test", "all_databases = true");
  EXPECT_EQ(cluster.cause(), "");
  EXPECT_THAT(text_of(cluster.output), AllOf(HasSubstr("\\connect shop"), HasSubstr("ROLE part")));
  const SourceRun globals = dump("test", "globals = true");
  EXPECT_EQ(globals.cause(), "");
  EXPECT_THAT(text_of(globals.output),
              AllOf(HasSubstr("ROLE part"), Not(HasSubstr("CREATE TABLE"))));
}

TEST_F(PostgresqlSourceTest, TablesThatTheAccountMayNotReadAreNamedBeforeTheStart) {
  const SourceRun run = dump("part");
  EXPECT_EQ(run.commits, 0);
  EXPECT_EQ(run.cause(),
            "source: the account may not read all of it: closed.t, closed.t_id_seq, "
            "public.policed");
  EXPECT_THAT(hint(run), AllOf(HasSubstr("GRANT pg_read_all_data"), Not(HasSubstr("warn"))));
}

TEST_F(PostgresqlSourceTest, APartThatTheAccountMayReadIsDumped) {
  const SourceRun run =
      dump("part", "dbname = 'shop'\nschemas = ['public']\nexclude_tables = ['policed']");
  EXPECT_EQ(run.cause(), "");
  EXPECT_THAT(text_of(run.output), Not(HasSubstr("CREATE TABLE public.policed")));
}

TEST_F(PostgresqlSourceTest, APatternThatFitsNothingIsRefused) {
  EXPECT_THAT(dump("full_", "dbname = 'shop'\nschemas = ['nope']").cause(),
              HasSubstr("no matching schemas were found"));
}

TEST_F(PostgresqlSourceTest, AMissingDatabaseIsRefused) {
  EXPECT_THAT(dump("full_", "dbname = 'shop2'").cause(), HasSubstr("does not exist"));
}

TEST_F(PostgresqlSourceTest, AWrongPasswordIsRefusedWithoutBeingShown) {
  const SourceRun run =
      run_source("postgresql", fmt::format("dbname = 'shop'\nhost = '127.0.0.1'\nport = {}\n"
                                           "user = 'part'\npassword = 'canary'",
                                           server->port()));
  EXPECT_THAT(run.cause(),
              AllOf(HasSubstr("password authentication failed"), Not(HasSubstr("canary"))));
}

TEST_F(PostgresqlSourceTest, ANewerServerIsThePgDumpsOwnWordWithAHint) {
  const test::TemporaryFolder folder;
  test::write_text(folder / "pg_dump",
                   "#!/bin/sh\necho 'pg_dump: error: aborting because of server version mismatch' "
                   ">&2\nexit 1\n");
  chmod((folder / "pg_dump").c_str(), 0700);
  const SourceRun run = dump("full_", fmt::format("dbname = 'shop'\nbinary = '{}'\nclient = 'psql'",
                                                  (folder / "pg_dump").string()));
  EXPECT_THAT(run.cause(), HasSubstr("server version mismatch"));
  EXPECT_THAT(hint(run), HasSubstr("Install the client of the server's version"));
}

TEST_F(PostgresqlSourceTest, AnUnencryptedServerIsRefusedWhenEncryptionIsRequired) {
  EXPECT_THAT(dump("full_", "dbname = 'shop'\nsslmode = 'require'").cause(), HasSubstr("SSL"));
}

TEST_F(PostgresqlSourceTest, AConnectionThatTheServerEndsStoresNothing) {
  for (const char* const format : {"plain", "custom"}) {
    const std::string toml = login("full_") + fmt::format("dbname = 'shop'\nformat = '{}'", format);
    const SourceRun run = run_source("postgresql", toml, 1'000'000, [] {
      query("postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'full_';");
    });
    EXPECT_EQ(run.commits, 0) << format;
    EXPECT_THAT(run.cause(), HasSubstr("failed with exit status 1")) << format;
    EXPECT_THAT(run.output, IsEmpty());
  }
}

TEST_F(PostgresqlSourceTest, ADumpWithoutItsLastLineIsNotStored) {
  const test::TemporaryFolder folder;
  test::write_text(folder / "pg_dump", "#!/bin/sh\necho 'CREATE TABLE t (id INT);'\n");
  chmod((folder / "pg_dump").c_str(), 0700);
  const SourceRun run = dump("full_", fmt::format("dbname = 'shop'\nbinary = '{}'\nclient = 'psql'",
                                                  (folder / "pg_dump").string()));
  EXPECT_EQ(run.commits, 0);
  EXPECT_THAT(run.cause(), HasSubstr("PostgreSQL database dump complete"));
}

}  // namespace
}  // namespace bp::stages
