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
using testing::Not;
using testing::StartsWith;

/// What every account's password is: with all that an option file could trip over.
constexpr const char* password = R"(it's "a\b" #1)";

/// One server for all tests of the suite; each test reads, none changes it.
class MysqlSourceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!test::is_installed(
            "PATH=$PATH:/usr/sbin command -v mariadbd && command -v mariadb-dump")) {
      return;
    }
    server = std::make_unique<test::Server>(TEST_SERVERS "/maria-up", "pid", SIGTERM);
    query(R"sql(
CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
CREATE TABLE `odd ``name``` (id INT PRIMARY KEY, b BLOB, t TEXT);
INSERT INTO `odd ``name``` VALUES (1, x'00ff271a5c', 'äöü😀');
CREATE VIEW v AS SELECT id FROM `odd ``name```;
CREATE FUNCTION total() RETURNS INT DETERMINISTIC RETURN 5;
CREATE TRIGGER tr BEFORE INSERT ON `odd ``name``` FOR EACH ROW SET NEW.t = 'x';
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;
CREATE TABLE big (t LONGTEXT);
INSERT INTO big SELECT REPEAT('x', 100000) FROM seq_1_to_300;
CREATE DATABASE plain; CREATE TABLE plain.t (id INT); CREATE TABLE plain.u (id INT) ENGINE=MyISAM;
)sql");
    account("full", "ALL PRIVILEGES ON *.*");
    account("blind", "SELECT, SHOW VIEW, TRIGGER, EVENT ON shop.*");
    account("runs", "SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON shop.*");
    account("reads", "SELECT, SHOW VIEW, EVENT ON shop.*");
    account("plain", "SELECT ON plain.*");
  }
  static void TearDownTestSuite() { server.reset(); }

  void SetUp() override {
    if (server) return;
    if (test::must_run()) FAIL() << "no mariadbd or mariadb-dump";
    GTEST_SKIP() << "no mariadbd or mariadb-dump";
  }
  void TearDown() override { EXPECT_TRUE(test::children_of_ours().empty()); }

  static std::string query(const std::string& sql) {
    test::write_text(server->path() + "/query.sql", sql);
    return test::shell(
        fmt::format("mariadb --no-defaults --default-character-set=utf8mb4 -N -B "
                    "-uroot -S {0}/s.sock <{0}/query.sql",
                    server->path()));
  }
  static void account(const std::string& name, const std::string& rights) {
    query(
        fmt::format("CREATE USER '{0}'@'127.0.0.1' IDENTIFIED BY 'it''s \"a\\\\b\" #1'; "
                    "GRANT {1} TO '{0}'@'127.0.0.1';",
                    name, rights));
  }
  static std::string login(const std::string& user) {
    return fmt::format("host = '127.0.0.1'\nport = {}\nuser = '{}'\npassword = '''{}'''\n",
                       server->port(), user, password);
  }
  static SourceRun dump(const std::string& user, const std::string& more = "dbname = 'shop'") {
    return run_source("mysql", login(user) + more);
  }
  static std::string hint(const SourceRun& run) {
    return run.report.cause ? std::string{run.report.cause->hint()} : "";
  }

  static std::unique_ptr<test::Server> server;
};
std::unique_ptr<test::Server> MysqlSourceTest::server;

TEST_F(MysqlSourceTest, DumpsTablesViewsRoutinesTriggersAndEvents) {
  const SourceRun run = dump("full");

  EXPECT_EQ(run.cause(), "");
  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_THAT(
      text_of(run.output),
      AllOf(HasSubstr("CREATE TABLE `odd ``name```"), HasSubstr("0x00FF271A5C"), HasSubstr("äöü😀"),
            HasSubstr("VIEW `v`"), HasSubstr("FUNCTION `total`"), HasSubstr("TRIGGER tr"),
            HasSubstr("EVENT `e`"), HasSubstr("\n-- Dump completed")));
}

TEST_F(MysqlSourceTest, TellsWhatTheServerIs) {
  const SourceRun run = dump("full", "dbname = 'plain'");
  const auto& notes = run.report.find_stage("source")->notes;
  EXPECT_THAT(notes.at("server"), HasSubstr("MariaDB"));
  EXPECT_THAT(notes.at("net_write_timeout"), StartsWith("60 s"));
  EXPECT_THAT(notes.at("not_transactional"), StartsWith("plain.u (MyISAM)"));
}

TEST_F(MysqlSourceTest, ThePasswordIsShownNowhere) {
  const SourceRun run = dump("nobody");
  EXPECT_THAT(run.cause() + hint(run), AllOf(HasSubstr("Access denied"), Not(HasSubstr("#1"))));
}

TEST_F(MysqlSourceTest, RoutinesThatTheAccountCannotSeeAreRefusedBeforeTheStart) {
  const SourceRun run = dump("blind");
  EXPECT_EQ(run.commits, 0);
  EXPECT_EQ(run.cause(),
            "source: the account may not read all of it: routines of 'shop', which it could not "
            "even see");
  EXPECT_THAT(hint(run), HasSubstr("GRANT SELECT ON mysql.proc"));
}

TEST_F(MysqlSourceTest, RoutinesWhoseTextIsHiddenAreNamed) {
  EXPECT_THAT(dump("runs").cause(), HasSubstr("routines whose text it may not read: shop.total"));
}

TEST_F(MysqlSourceTest, TriggersThatTheAccountCannotSeeAreRefused) {
  EXPECT_THAT(dump("reads", "dbname = 'shop'\nroutines = false").cause(),
              HasSubstr("triggers of 'shop' (no TRIGGER on it)"));
}

TEST_F(MysqlSourceTest, WhatIsSwitchedOffIsNotMissed) {
  const SourceRun run = dump("plain",
                             "dbname = 'plain'\nroutines = false\nevents = false\n"
                             "triggers = false");
  EXPECT_EQ(run.cause(), "");
  EXPECT_EQ(run.report.outcome, Outcome::stored);
}

TEST_F(MysqlSourceTest, OnUnreadableWarnStoresTheRestAndSaysWhatIsMissing) {
  const SourceRun run = dump("blind", "dbname = 'shop'\non_unreadable = 'warn'");
  EXPECT_EQ(run.report.outcome, Outcome::stored_with_warnings);
  EXPECT_EQ(run.commits, 1);
  EXPECT_THAT(text_of(run.output), Not(HasSubstr("FUNCTION")));
}

TEST_F(MysqlSourceTest, AMissingDatabaseIsRefused) {
  EXPECT_EQ(dump("full", "dbname = 'shop2'").cause(),
            "source: there is no database 'shop2' that the account may see");
}

TEST_F(MysqlSourceTest, AMissingTableIsRefusedInTheRehearsal) {
  EXPECT_THAT(dump("full", "dbname = 'shop'\ntables = ['nope']").cause(),
              AllOf(StartsWith("source: rehearsing the dump: "), HasSubstr("Couldn't find table")));
}

TEST_F(MysqlSourceTest, WithoutARehearsalTheDumpItselfFailsAndStoresNothing) {
  const SourceRun run = dump("full", "dbname = 'shop'\ntables = ['nope']\nrehearse = false");
  EXPECT_EQ(run.commits, 0);
  EXPECT_THAT(run.cause(), AllOf(Not(HasSubstr("rehearsing")), HasSubstr("Couldn't find table")));
}

TEST_F(MysqlSourceTest, AnUnknownOptionIsTheDumpersOwnWordWithAHint) {
  const SourceRun run = dump("full", "dbname = 'shop'\nextra_args = ['--column-statistics=0']");
  EXPECT_THAT(run.cause(), HasSubstr("unknown variable 'column-statistics=0'"));
  EXPECT_THAT(hint(run), HasSubstr("extra_args"));
}

TEST_F(MysqlSourceTest, AnUnencryptedServerIsRefusedWhenItsCertificateIsToBeVerified) {
  EXPECT_THAT(dump("full", "dbname = 'shop'\nssl_verify = true").cause(), HasSubstr("SSL"));
}

TEST_F(MysqlSourceTest, AServerThatIsNotThereIsRefused) {
  const SourceRun run =
      run_source("mysql", fmt::format("dbname = 'shop'\nsocket = '{}/none.sock'", server->path()));
  EXPECT_THAT(run.cause(), HasSubstr("Can't connect"));
  EXPECT_THAT(hint(run), HasSubstr("Does the server run"));
}

TEST_F(MysqlSourceTest, AConnectionThatTheServerEndsStoresNothing) {
  const std::string toml = login("full") + "dbname = 'shop'\ntables = ['big']\n";
  const SourceRun run = run_source("mysql", toml, 1'000'000, [] {
    query(
        query("SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST "
              "WHERE USER = 'full'"));
  });
  EXPECT_EQ(run.report.outcome, Outcome::failed);
  EXPECT_EQ(run.commits, 0);
  EXPECT_THAT(run.cause(), AllOf(HasSubstr("failed with exit status 3"), HasSubstr("2013")));
  EXPECT_THAT(hint(run), HasSubstr("net_write_timeout"));
}

TEST_F(MysqlSourceTest, ADumpWithoutItsLastLineIsNotStored) {
  const test::TemporaryFolder folder;
  test::write_text(folder / "dumper", "#!/bin/sh\necho 'CREATE TABLE t (id INT);'\n");
  chmod((folder / "dumper").c_str(), 0700);
  const SourceRun run =
      dump("full", fmt::format("dbname = 'shop'\nbinary = '{}'\nclient = 'mariadb'",
                               (folder / "dumper").string()));
  EXPECT_EQ(run.commits, 0);
  EXPECT_THAT(run.cause(), HasSubstr(R"(does not end with "-- Dump completed")"));
}

TEST_F(MysqlSourceTest, AMissingDumperIsNamed) {
  EXPECT_EQ(dump("full", "dbname = 'shop'\nbinary = '/nonexistent/mysqldump'").cause(),
            "source: there is no program '/nonexistent/mysqldump' that we may run");
}

TEST_F(MysqlSourceTest, SeveralAndAllDatabasesGoIntoOneDump) {
  for (const char* const scope : {"databases = ['shop', 'plain']", "all_databases = true"}) {
    const SourceRun run = dump("full", scope);
    EXPECT_EQ(run.cause(), "") << scope;
    EXPECT_THAT(text_of(run.output), AllOf(HasSubstr("USE `shop`"), HasSubstr("USE `plain`")));
  }
}

}  // namespace
}  // namespace bp::stages
