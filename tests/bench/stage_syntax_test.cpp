#include "bench/stage_syntax.hpp"

#include "bench/pass_filter.hpp"
#include "engine/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::bench {
namespace {

using testing::HasSubstr;

stages::Registry all_types() {
  stages::Registry registry;
  stages::register_all(registry);
  register_pass_filters(registry);
  return registry;
}

/// What a text is refused with, hint included; empty when it is taken.
std::string refusal(std::string_view text) {
  try {
    (void)read_stages(parse_stages(text), all_types());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::config);
    return std::string{error.what()} + " | " + std::string{error.hint()};
  }
  return {};
}

TEST(StageSyntax, TakesABareValueForTheLevel) {
  const auto specs = parse_stages("gzip:9");

  ASSERT_EQ(specs.size(), 1U);
  const auto* level = specs.front().options.find("level");
  ASSERT_NE(level, nullptr);
  EXPECT_EQ(std::get<std::int64_t>(level->value->data()), 9);
}

TEST(StageSyntax, PartsStagesByCommasAndOptionsBySemicolons) {
  const auto specs = parse_stages("pass,gpg:binary=gpg2;passphrase=a=b,gzip");

  ASSERT_EQ(specs.size(), 3U);
  EXPECT_EQ(specs[1].type, "gpg");
  ASSERT_EQ(specs[1].options.entries.size(), 2U);
  EXPECT_EQ(std::get<std::string>(specs[1].options.entries[1].value->data()), "a=b");
}

TEST(StageSyntax, HasNoStagesInAnEmptyText) {
  EXPECT_TRUE(parse_stages("").empty());
}

TEST(StageSyntax, NamesTheColumnOfAMissingName) {
  EXPECT_THAT(refusal("gzip:6,,gpg"), HasSubstr("--stages:1:8: a stage without a name"));
}

TEST(StageSyntax, RefusesOptionsWithoutValueOrTwice) {
  EXPECT_THAT(refusal("gzip:level="), HasSubstr("'level' has no value"));
  EXPECT_THAT(refusal("gzip:6;level=7"), HasSubstr("'level' is there twice"));
}

TEST(StageSyntax, SuggestsTheNearestType) {
  EXPECT_THAT(refusal("gzpi:6"), HasSubstr("Did you mean 'gzip'?"));
}

TEST(StageSyntax, ReportsWhatTheStageDoesNotKnow) {
  EXPECT_THAT(refusal("gzip:levle=6"), HasSubstr("--stages:1:6: unknown key 'levle'"));
  EXPECT_THAT(refusal("gzip:99"), HasSubstr("--stages:1:6"));
}

TEST(StageSyntax, TakesWhatIsRight) {
  EXPECT_EQ(refusal("gzip:6,pass-thread,gpg"), "");
}

}  // namespace
}  // namespace bp::bench
