#include "config/suggest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace bp::config {
namespace {

constexpr std::array<std::string_view, 4> known{"level", "passphrase", "exclude", "type"};

TEST(NearestName, FindsTheNameThatWasMeant) {
  EXPECT_EQ(nearest_name("levle", known), "level");
  EXPECT_EQ(nearest_name("passphrse", known), "passphrase");
  EXPECT_EQ(nearest_name("excludes", known), "exclude");
  EXPECT_EQ(nearest_name("tyoe", known), "type");
}

TEST(NearestName, KeepsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("bucket", known), std::nullopt);
  EXPECT_EQ(nearest_name("", known), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(100'000, 'l'), known), std::nullopt);
}

TEST(HintForUnknown, NamesTheNearestElseAFewElseNothing) {
  EXPECT_EQ(hint_for_unknown("levle", known), "did you mean 'level'?");
  EXPECT_EQ(hint_for_unknown("bucket", known), "known: level, passphrase, exclude, type");
  EXPECT_EQ(hint_for_unknown("bucket", {}), "");
  const std::vector<std::string_view> many(25, "something");
  EXPECT_EQ(hint_for_unknown("bucket", many), "");
}

}  // namespace
}  // namespace bp::config
