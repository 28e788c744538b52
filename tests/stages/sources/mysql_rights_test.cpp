#include "stages/sources/mysql_rights.hpp"

#include <gtest/gtest.h>

#include <string>

namespace bp::stages {
namespace {

MysqlRights rights(std::initializer_list<std::string_view> lines) {
  MysqlRights result;
  for (const auto line : lines) result.add(line);
  return result;
}

TEST(MysqlRights, AGlobalGrantIsOnEverything) {
  const MysqlRights held = rights({"GRANT SELECT, LOCK TABLES ON *.* TO `u`@`%`"});
  EXPECT_TRUE(held.on_all("SELECT"));
  EXPECT_TRUE(held.on_database("LOCK TABLES", "shop"));
  EXPECT_TRUE(held.on_table("SELECT", "mysql", "proc"));
  EXPECT_FALSE(held.on_all("TRIGGER"));
  EXPECT_FALSE(held.on_all("LOCK"));
}

TEST(MysqlRights, AllPrivilegesAreAll) {
  EXPECT_TRUE(rights({"GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION"}).on_all("EVENT"));
  const MysqlRights held = rights({"GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`"});
  EXPECT_TRUE(held.on_database("TRIGGER", "shop"));
  EXPECT_FALSE(held.on_database("TRIGGER", "other"));
  EXPECT_FALSE(held.on_all("TRIGGER"));
}

TEST(MysqlRights, ADatabaseIsAPatternInWhichABackslashTakesMeaningAway) {
  const MysqlRights held = rights({R"(GRANT SELECT ON `a\_b%`.* TO `u`@`%`)"});
  EXPECT_TRUE(held.on_database("SELECT", "a_b"));
  EXPECT_TRUE(held.on_database("SELECT", "a_bcd"));
  EXPECT_FALSE(held.on_database("SELECT", "axb"));
  EXPECT_TRUE(rights({"GRANT SELECT ON `a_b`.* TO `u`"}).on_database("SELECT", "axb"));
  EXPECT_TRUE(rights({"GRANT SELECT ON `%x%y`.* TO `u`"}).on_database("SELECT", "axbxcy"));
  EXPECT_FALSE(rights({"GRANT SELECT ON `%x%y`.* TO `u`"}).on_database("SELECT", "axbxc"));
}

TEST(MysqlRights, ALongPatternIsMatchedInNoTime) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "%a";
  const MysqlRights held = rights({"GRANT SELECT ON `" + pattern + "b`.* TO `u`"});
  EXPECT_FALSE(held.on_database("SELECT", std::string(64, 'a')));
}

TEST(MysqlRights, AGrantOnATableIsNotOnItsDatabase) {
  const MysqlRights held = rights({"GRANT SELECT, TRIGGER ON `shop`.`t_x` TO `u`@`%`"});
  EXPECT_TRUE(held.on_table("SELECT", "shop", "t_x"));
  EXPECT_FALSE(held.on_table("SELECT", "shop", "tax"));
  EXPECT_FALSE(held.on_database("SELECT", "shop"));
}

TEST(MysqlRights, ARightOnSomeColumnsIsNone) {
  const MysqlRights held =
      rights({"GRANT SELECT (`a`, `b ON c`), INSERT, UPDATE (`a`) ON `shop`.`t` TO `u`@`%`"});
  EXPECT_FALSE(held.on_table("SELECT", "shop", "t"));
  EXPECT_FALSE(held.on_table("UPDATE", "shop", "t"));
  EXPECT_TRUE(held.on_table("INSERT", "shop", "t"));
}

TEST(MysqlRights, NamesMayHoldAnything) {
  const MysqlRights held = rights({"GRANT SELECT ON `a``.b ON c`.* TO `u`@`%`"});
  EXPECT_TRUE(held.on_database("SELECT", "a`.b ON c"));
}

TEST(MysqlRights, WhatIsNotAboutTablesIsIgnored) {
  const MysqlRights held =
      rights({"GRANT `role` TO `u`@`%`", "GRANT PROXY ON ''@'%' TO 'root'@'localhost'",
              "GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `u`@`%`", "SET DEFAULT ROLE `r` FOR `u`",
              "GRANT SELECT", "GRANT SELECT ON `open", ""});
  for (const auto right : {"EXECUTE", "SELECT", "PROXY"}) {
    EXPECT_FALSE(held.on_table(right, "shop", "p")) << right;
  }
}

}  // namespace
}  // namespace bp::stages
