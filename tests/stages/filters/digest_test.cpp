#include "stages/filters/digest.hpp"

#include "tests/support/filter_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using test::Bytes;
using test::run_filter;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr std::size_t chunk = 4096;

TEST(Digest, NotesTheLengthAndSha256OfAKnownText) {
  const auto run = run_filter(digest_filter(), test::bytes_of("abc"), chunk);

  EXPECT_THAT(
      run.report.find_stage("filter")->notes,
      UnorderedElementsAre(
          Pair("bytes", "3"),
          Pair("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
}

TEST(Digest, OfNothingIsTheDigestOfNothing) {
  const auto run = run_filter(digest_filter(), {}, chunk);

  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_THAT(run.output, IsEmpty());
  EXPECT_THAT(
      run.report.find_stage("filter")->notes,
      UnorderedElementsAre(
          Pair("bytes", "0"),
          Pair("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")));
}

TEST(Digest, HandsEveryByteOn) {
  for (const std::size_t length : {chunk - 1, chunk, chunk + 1, 100 * chunk + 7}) {
    const Bytes input = test::pattern(length);

    const auto run = run_filter(digest_filter(), input, chunk);

    EXPECT_EQ(run.output, input) << length;
    EXPECT_EQ(run.report.find_stage("filter")->notes.at("bytes"), std::to_string(length));
  }
}

TEST(Digest, SeesOneFlippedBitAnywhere) {
  Bytes input = test::pattern(3 * chunk);
  const auto digest_of = [](const Bytes& bytes) {
    return run_filter(digest_filter(), bytes, chunk)
        .report.find_stage("filter")
        ->notes.at("sha256");
  };
  const std::string good = digest_of(input);
  for (const std::size_t place : {std::size_t{0}, chunk, 3 * chunk - 1}) {
    input[place] ^= std::byte{0x10};
    EXPECT_NE(digest_of(input), good) << place;
    input[place] ^= std::byte{0x10};
  }
}

TEST(Digest, HoldsOneChunkAndNoMore) {
  const auto run = run_filter(digest_filter(), test::pattern(200 * chunk), chunk);

  EXPECT_THAT(run.report.warnings, IsEmpty());  // the runner warns of a plan that was exceeded
  EXPECT_EQ(digest_filter()->memory_demand(chunk).min_chunks, 1U);
}

TEST(Digest, NotesNothingOfAStreamThatFailed) {
  const auto [report, plan] =
      test::run_filter_between(std::make_unique<test::EndlessSource>(test::pattern(chunk)),
                               digest_filter(), std::make_unique<test::FullSink>(3), chunk);

  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_THAT(report.find_stage("filter")->notes, IsEmpty());
}

}  // namespace
}  // namespace bp::stages
