#include "stages/filters/unzstd.hpp"

#include "stages/filters/zstd.hpp"
#include "tests/support/command.hpp"
#include "tests/support/filter_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using test::Bytes;
using test::run_filter;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::size_t chunk = 4096;
constexpr std::size_t header_bytes = 6;  ///< magic, descriptor, window

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes frame_of(const Bytes& raw) {
  return run_filter(zstd_filter({}, 0), raw, chunk).output;
}

const Bytes hello = test::bytes_of(
    "Who's there? Nay, answer me: stand, and unfold yourself. Long live the king! Bernardo? He.");

test::FilterRun unzstd(const Bytes& compressed, std::size_t chunk_bytes = chunk) {
  return run_filter(unzstd_filter({}), compressed, chunk_bytes);
}

/// The message of the failure, which must be a transform's; empty if there was none.
std::string failure_of(const Bytes& compressed) {
  const auto run = unzstd(compressed);
  if (!run.report.cause) return "";
  EXPECT_EQ(run.report.cause->code(), Errc::transform) << run.report.cause->what();
  return run.report.cause->what();
}

TEST(Unzstd, OpensWhatTheRealZstdMade) {
  const Bytes input = test::pattern(300'000) + Bytes(300'000, std::byte{'x'});
  for (const char* tool : {"zstd -1", "zstd -19 -T2", "zstd --no-check", "zstd --long=27",
                           "{ head -c 1000 | zstd; zstd; }"}) {
    const auto run = unzstd(test::pipe_through(tool, input).output);
    EXPECT_EQ(run.report.outcome, Outcome::stored) << tool;
    EXPECT_TRUE(run.output == input) << tool;
  }
}

TEST(Unzstd, OpensFramesCutAtAnyPlace) {
  const Bytes two_frames = frame_of(hello) + frame_of(test::bytes_of("and goodbye"));
  for (const std::size_t chunk_bytes : {1, 2, 3, 7, 24, 64}) {
    EXPECT_EQ(unzstd(two_frames, chunk_bytes).output, hello + test::bytes_of("and goodbye"))
        << chunk_bytes;
  }
}

TEST(Unzstd, TakesNoInputForNoZstdFile) {
  EXPECT_THAT(failure_of({}), EndsWith("zstd data ends before its first byte"));
}

TEST(Unzstd, SeesThatAFrameWasCutShortWhereverThatIs) {
  const Bytes whole = frame_of(hello);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    EXPECT_THAT(failure_of({whole.begin(), whole.begin() + static_cast<long>(length)}),
                EndsWith("zstd data ends in the middle of a frame"))
        << length;
  }
  EXPECT_EQ(failure_of(whole), "");
}

TEST(Unzstd, SeesBytesBehindTheLastFrame) {
  const Bytes whole = frame_of(hello);
  for (const std::size_t zeros : {4U, 512U, 10'000U}) {
    EXPECT_THAT(failure_of(whole + Bytes(zeros)),
                HasSubstr("no zstd frame begins where one should"))
        << zeros;
  }
  for (const char* stray : {"x", "xyz", "garbage", "\x28\xb5"}) {
    EXPECT_NE(failure_of(whole + test::bytes_of(stray)), "") << stray;
  }
}

TEST(Unzstd, SeesThatItIsNotZstdData) {
  EXPECT_THAT(failure_of(test::bytes_of("INSERT INTO t")),
              HasSubstr("no zstd frame begins where one should, near byte 0"));
}

TEST(Unzstd, SaysThatTheChecksumIsWrong) {
  Bytes frame = frame_of(hello);
  frame.back() ^= std::byte{1};
  EXPECT_THAT(failure_of(frame), EndsWith("its content does not match its checksum"));
}

TEST(Unzstd, SeesEveryFlippedBitOfTheContents) {
  Bytes input;
  for (int i = 0; input.size() < 60'000; ++i) {
    input = std::move(input) + test::bytes_of(std::to_string(i * i) + " lines of text\n");
  }
  Bytes frame = frame_of(input);
  std::uint32_t random = 1;
  for (int flip = 0; flip < 400; ++flip) {
    random = random * 1'664'525 + 1'013'904'223;
    const std::size_t place = header_bytes + random / 8 % (frame.size() - header_bytes);
    const auto bit = std::byte{1} << static_cast<int>(random >> 29U);
    frame[place] ^= bit;
    EXPECT_NE(failure_of(frame), "") << "byte " << place;
    frame[place] ^= bit;
  }
}

TEST(Unzstd, GivesNoOtherBytesForAFlippedBitOfTheHeader) {
  // Not each is seen: the format has a bit that readers must ignore, and a larger window changes
  // nothing.
  Bytes frame = frame_of(hello);
  for (std::size_t bit = 0; bit < 8 * header_bytes; ++bit) {
    const auto mask = std::byte{1} << static_cast<int>(bit % 8);
    frame[bit / 8] ^= mask;
    const auto run = unzstd(frame);
    if (run.report.outcome == Outcome::stored) {
      EXPECT_EQ(run.output, hello) << bit;
    }
    frame[bit / 8] ^= mask;
  }
}

TEST(Unzstd, RefusesAWindowThatItHasNoMemoryFor) {
  const Bytes frame = test::pipe_through("zstd --long=28", test::pattern(chunk)).output;
  EXPECT_THAT(failure_of(frame), EndsWith("zstd data needs a window of more than 128 MiB"));
}

TEST(Unzstd, DeclaresTheWindowThatItExpects) {
  EXPECT_GE(unzstd_filter({.level = 19})->memory_demand(chunk).library_bytes, 8U << 20);
  EXPECT_GE(unzstd_filter({.long_window = true})->memory_demand(chunk).library_bytes, 128U << 20);
}

TEST(Unzstd, EndsWithItsConsumer) {
  const Bytes frame = frame_of(Bytes(4 << 20));
  const auto [report, plan] =
      test::run_filter_between(std::make_unique<test::EndlessSource>(frame), unzstd_filter({}),
                               std::make_unique<test::FullSink>(3), chunk);
  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_THAT(report.cause->what(), EndsWith("no room left"));
  EXPECT_TRUE(report.warnings.empty());
}

}  // namespace
}  // namespace bp::stages
