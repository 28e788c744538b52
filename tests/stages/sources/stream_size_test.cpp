#include "stages/sources/stream_size.hpp"

#include "tests/support/fake_context.hpp"
#include "tests/support/source_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace bp::stages {
namespace {

using testing::HasSubstr;

/// "", "warned" or the failure.
std::string verdict(const SizeRules& rules, std::uint64_t bytes) {
  asio::io_context io;
  test::FakeContext ctx{io};
  try {
    check_size(rules, bytes, ctx);
  } catch (const Error& error) {
    return error.what();
  }
  return ctx.warnings.empty() ? "" : "warned";
}

TEST(StreamSize, FewerThanMinBytesIsAFailure) {
  EXPECT_EQ(verdict({.min_bytes = 100}, 99), "ended well after 99 bytes, and min_bytes is 100");
  EXPECT_EQ(verdict({.min_bytes = 100}, 100), "");
}

TEST(StreamSize, LessThanHalfOfTheLastGoodRunIsAWarning) {
  EXPECT_EQ(verdict({.expected_bytes = 1000}, 500), "");
  EXPECT_EQ(verdict({.expected_bytes = 1000}, 499), "warned");
}

TEST(StreamSize, AFirstRunHasNothingToCompareWith) {
  EXPECT_EQ(verdict({}, 0), "");
}

TEST(StreamSize, ShrinkLimitIsWhatMayBeMissing) {
  EXPECT_EQ(verdict({.shrink_limit = 10, .expected_bytes = 1000}, 900), "");
  EXPECT_EQ(verdict({.shrink_limit = 10, .expected_bytes = 1000}, 899), "warned");
}

TEST(StreamSize, OnShrinkDecides) {
  EXPECT_THAT(verdict({.on_shrink = OnShrink::fail, .expected_bytes = 1000}, 1),
              HasSubstr("the last good run had 1000"));
  EXPECT_EQ(verdict({.on_shrink = OnShrink::ignore, .expected_bytes = 1000}, 1), "");
}

TEST(StreamSize, TheLargestStreamsAreComparedWithoutOverflow) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(verdict({.expected_bytes = most}, most), "");
  EXPECT_EQ(verdict({.expected_bytes = most}, most / 3), "warned");
}

test::SourceRun run_with_history(const std::string& options) {
  const test::MadeSource made = test::make_source("command", "argv = ['echo', 'four']\n" + options);
  EXPECT_EQ(made.problems, "");
  BuildContext context;
  context.expected_bytes = 1000;
  return test::run_source(made.type.make(context));
}

TEST(StreamSize, AShrunkenStreamIsStoredWithAWarning) {
  const test::SourceRun run = run_with_history("");
  EXPECT_EQ(run.report.outcome, Outcome::stored_with_warnings);
  EXPECT_EQ(run.commits, 1);
}

TEST(StreamSize, AShrunkenStreamIsNotStoredIfTheJobSaysSo) {
  const test::SourceRun run = run_with_history("on_shrink = 'fail'");
  EXPECT_EQ(run.commits, 0);
  EXPECT_THAT(run.cause(), HasSubstr("shrink_limit is 50 %"));
}

TEST(StreamSize, AStreamBelowMinBytesIsNotStored) {
  const test::SourceRun run = run_with_history("min_bytes = '1KiB'");
  EXPECT_EQ(run.commits, 0);
  EXPECT_THAT(run.cause(), HasSubstr("min_bytes is 1024"));
}

}  // namespace
}  // namespace bp::stages
