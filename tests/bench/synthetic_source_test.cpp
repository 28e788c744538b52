#include "bench/synthetic_source.hpp"

#include "tests/support/command.hpp"

#include <gtest/gtest.h>

namespace bp::bench {
namespace {

using test::Bytes;

Bytes synthetic(std::size_t length, double ratio, std::uint64_t position = 0) {
  Bytes bytes(length);
  fill_synthetic(bytes, ratio, position);
  return bytes;
}

class SyntheticRatio : public testing::TestWithParam<double> {};

TEST_P(SyntheticRatio, IsWhatGzipMakesOfIt) {
  const Bytes plain = synthetic(std::size_t{4} << 20U, GetParam());

  const auto packed = test::pipe_through("gzip -6", plain);

  ASSERT_EQ(packed.status, 0);
  const double ratio =
      static_cast<double>(plain.size()) / static_cast<double>(packed.output.size());
  EXPECT_NEAR(ratio, GetParam(), GetParam() / 10);
}

INSTANTIATE_TEST_SUITE_P(FromOneToTen, SyntheticRatio, testing::Values(1.0, 2.0, 3.5, 6.0, 10.0));

TEST(SyntheticContent, DependsOnThePositionAlone) {
  constexpr std::size_t half = 64 << 10U;
  const Bytes whole = synthetic(2 * half, 3);

  const Bytes second = synthetic(half, 3, half);

  EXPECT_EQ(Bytes(whole.begin() + half, whole.end()), second);
}

TEST(SyntheticContent, RefusesWhatIsNoRatio) {
  for (const char* text : {"", "0.5", "11", "nan", "3x", "engine"}) {
    EXPECT_THROW((void)parse_synthetic(text), Error) << text;
  }
}

TEST(SyntheticContent, KnowsRepeatAndNumbers) {
  EXPECT_TRUE(parse_synthetic("repeat").repeat);
  EXPECT_DOUBLE_EQ(parse_synthetic("3.5").ratio, 3.5);
  EXPECT_FALSE(parse_synthetic("3.5").repeat);
}

}  // namespace
}  // namespace bp::bench
