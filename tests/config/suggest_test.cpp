#include "config/suggest.hpp"

#include <gtest/gtest.h>

#include <array>

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

}  // namespace
}  // namespace bp::config
