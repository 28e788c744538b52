#include "stages/sources/mysql_survey.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MysqlOptions of_shop() {
  MysqlOptions options;
  options.databases = {"shop"};
  return options;
}

std::vector<std::string> gaps(const MysqlOptions& options, const std::string& answer) {
  std::vector<std::string> result;
  for (const Gap& gap : find_gaps(options, read_survey(answer))) result.push_back(gap.what);
  return result;
}

constexpr const char* all_but_routines =
    "database\tshop\nviews\tshop\n"
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop`.* TO `u`@`%`\n";

TEST(MysqlSurvey, ReadsEscapedFields) {
  const MysqlSurvey survey = read_survey(
      "version\t10.11.19-MariaDB\ntimeout\t60\ndatabase\ta\\tb\\\\c\nengine\tshop.t (MyISAM)\n");
  EXPECT_EQ(survey.version, "10.11.19-MariaDB");
  EXPECT_EQ(survey.net_write_timeout, "60");
  EXPECT_THAT(survey.databases, ElementsAre("a\tb\\c"));
  EXPECT_THAT(survey.not_transactional, ElementsAre("shop.t (MyISAM)"));
}

TEST(MysqlSurvey, NamesReachTheServerAsNumbersThatMeanNothingElse) {
  MysqlOptions options = of_shop();
  options.databases = {"a'; DROP"};
  EXPECT_THAT(survey_query(options), HasSubstr("SCHEMA_NAME IN (_utf8mb4 x'61273b2044524f50')"));
}

TEST(MysqlSurvey, RoutinesThatCouldNotEvenBeSeenAreAGap) {
  EXPECT_THAT(gaps(of_shop(), all_but_routines),
              ElementsAre("routines of 'shop', which it could not even see"));
}

TEST(MysqlSurvey, RoutinesThatAreSeenWithoutTheirTextAreAGap) {
  std::string answer{all_but_routines};
  answer += "routine\tshop.total\nGRANT EXECUTE ON `shop`.* TO `u`@`%`\n";
  EXPECT_THAT(gaps(of_shop(), answer),
              ElementsAre("routines whose text it may not read: shop.total"));
}

TEST(MysqlSurvey, TheRightToReadAllRoutinesClosesTheGap) {
  for (const char* const grant :
       {"GRANT SELECT ON `mysql`.`proc` TO `u`@`%`\n", "GRANT SHOW_ROUTINE ON *.* TO `u`@`%`\n"}) {
    EXPECT_THAT(gaps(of_shop(), std::string{all_but_routines} + grant), IsEmpty()) << grant;
  }
}

TEST(MysqlSurvey, WhatIsSwitchedOffIsNoGap) {
  MysqlOptions options = of_shop();
  options.routines = options.events = options.triggers = false;
  EXPECT_THAT(gaps(options, "database\tshop\nGRANT SELECT ON `shop`.* TO `u`@`%`\n"), IsEmpty());
}

TEST(MysqlSurvey, EveryRightThatIsMissingIsNamed) {
  MysqlOptions options = of_shop();
  options.single_transaction = options.routines = false;
  EXPECT_THAT(
      gaps(options, "database\tshop\nviews\tshop\n"),
      ElementsAre("tables of 'shop' (no SELECT on it)", "views of 'shop' (no SHOW VIEW on it)",
                  "triggers of 'shop' (no TRIGGER on it)", "events of 'shop' (no EVENT on it)",
                  "locks of 'shop' (no LOCK TABLES on it)"));
}

TEST(MysqlSurvey, RightsOnTheTablesThatAreNamedAreEnough) {
  MysqlOptions options = of_shop();
  options.routines = options.events = false;
  options.tables = {"a", "b"};
  const std::string answer = "database\tshop\nGRANT SELECT, TRIGGER ON `shop`.`a` TO `u`@`%`\n";
  EXPECT_THAT(gaps(options, answer + "GRANT SELECT, TRIGGER ON `shop`.`b` TO `u`@`%`\n"),
              IsEmpty());
  EXPECT_EQ(gaps(options, answer).size(), 2U);
}

TEST(MysqlSurvey, AllDatabasesNeedRightsOnEverything) {
  MysqlOptions options;
  options.routines = false;
  EXPECT_EQ(gaps(options, all_but_routines).size(), 4U);
  EXPECT_THAT(gaps(options, "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO `u`@`%`\n"),
              IsEmpty());
}

TEST(MysqlSurvey, AMissingDatabaseIsNamed) {
  MysqlOptions options = of_shop();
  options.databases = {"shop", "nope"};
  try {
    check_databases(options, read_survey("database\tshop\n"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "there is no database 'nope' that the account may see");
  }
}

}  // namespace
}  // namespace bp::stages
