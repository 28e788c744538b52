#include "config/diagnostics.hpp"

#include "engine/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bp::config {
namespace {

Location at(std::uint32_t line, std::uint32_t column) {
  return {.file = std::make_shared<const std::string>("job.toml"), .line = line, .column = column};
}

std::string thrown(const Diagnostics& diagnostics) {
  try {
    diagnostics.throw_if_any();
    return "nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::config);
    return error.what();
  }
}

TEST(Diagnostics, ThrowNothingWhenThereIsNothing) {
  const Diagnostics diagnostics;
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(thrown(diagnostics), "nothing");
}

TEST(Diagnostics, AreShownAllAtOnceInTheOrderOfTheFile) {
  Diagnostics diagnostics;
  diagnostics.add(at(9, 1), "last");
  diagnostics.add(at(2, 10), "second", "a hint");
  diagnostics.add(at(2, 9), "first");
  diagnostics.add(at(9, 1), "last but found later");

  EXPECT_EQ(thrown(diagnostics),
            "job.toml:2:9: first\n"
            "job.toml:2:10: second (a hint)\n"
            "job.toml:9:1: last\n"
            "job.toml:9:1: last but found later");
}

TEST(Diagnostics, CountWhatNobodyWouldRead) {
  Diagnostics diagnostics;
  for (std::uint32_t line = 250; line > 0; --line) diagnostics.add(at(line, 1), "wrong");

  const std::string text = thrown(diagnostics);

  EXPECT_TRUE(diagnostics.crowded());
  EXPECT_TRUE(text.starts_with("job.toml:1:1: wrong\n"));
  EXPECT_TRUE(text.ends_with("job.toml:100:1: wrong\n… and 150 more"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 100);
}

TEST(Location, IsOnlyTheFilesNameWhenThereIsNoLine) {
  EXPECT_EQ(at(0, 0).text(), "job.toml");
  EXPECT_EQ(at(12, 9).text(), "job.toml:12:9");
  EXPECT_EQ(Location{}.text(), "");
}

}  // namespace
}  // namespace bp::config
