// The filter "checksum" of job files; what it computes with is tested in digest_test.cpp.
#include "config/document.hpp"
#include "stages/registry.hpp"
#include "tests/support/filter_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

std::pair<FilterType, config::Diagnostics> type_from(std::string_view toml) {
  Registry registry;
  register_all(registry);
  config::Diagnostics diagnostics;
  const config::Table table = config::parse_toml(toml, "job.toml");
  config::OptionReader options{table, "filter.checksum", diagnostics, true};
  FilterType type = (*registry.filter("checksum"))(options);
  options.finish();
  return {std::move(type), diagnostics};
}

TEST(Checksum, NotesASha256ByDefaultAndHandsTheBytesOn) {
  const auto run = test::run_filter(type_from("").first.make({}), test::bytes_of("abc"));

  EXPECT_EQ(run.output, test::bytes_of("abc"));
  EXPECT_THAT(
      run.report.find_stage("filter")->notes,
      Contains(Pair("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
}

TEST(Checksum, NotesASha512WhenAskedTo) {
  const auto run =
      test::run_filter(type_from("algorithm = \"sha512\"").first.make({}), test::bytes_of("abc"));

  const auto& notes = run.report.find_stage("filter")->notes;
  EXPECT_THAT(notes,
              Contains(Pair("sha512",
                            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")));
  EXPECT_THAT(notes, Not(Contains(Key("sha256"))));
}

TEST(Checksum, IsItsOwnInverseAndAddsNoExtension) {
  const auto [type, diagnostics] = type_from("");
  EXPECT_EQ(type.extension, "");
  EXPECT_EQ(test::run_filter(type.make_inverse({}), test::bytes_of("abc")).output,
            test::bytes_of("abc"));
}

TEST(Checksum, KnowsNoOtherAlgorithm) {
  EXPECT_FALSE(type_from("algorithm = \"md5\"").second.empty());
}

}  // namespace
}  // namespace bp::stages
