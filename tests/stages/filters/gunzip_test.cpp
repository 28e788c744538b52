#include "stages/filters/gunzip.hpp"

#include "stages/filters/gzip_member.hpp"
#include "tests/support/command.hpp"
#include "tests/support/filter_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <set>

namespace bp::stages {
namespace {

using test::Bytes;
using test::run_filter;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::size_t chunk = 4096;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// One member as our gzip makes it.
Bytes member(const Bytes& raw) {
  Bytes result(MemberCompressor::bound(raw.size()));
  result.resize(MemberCompressor{6}.compress(raw, result));
  return result;
}

/// Long enough to be Huffman-coded: a stored block would have bits that say nothing.
const Bytes hello = test::bytes_of(
    "Who's there? Nay, answer me: stand, and unfold yourself. Long live the king! Bernardo? He.");

/// A short file of ours: two members and the end mark.
Bytes our_file() {
  return member(hello) + member(test::bytes_of("and goodbye")) + member({});
}
Bytes our_contents() {
  return hello + test::bytes_of("and goodbye");
}

test::FilterRun gunzip(const Bytes& compressed, std::size_t chunk_bytes = chunk) {
  return run_filter(gunzip_filter(), compressed, chunk_bytes);
}

/// The message of the failure, which must be a transform's; empty if there was none.
std::string failure_of(const Bytes& compressed) {
  const auto run = gunzip(compressed);
  if (!run.report.cause) return "";
  EXPECT_EQ(run.report.cause->code(), Errc::transform) << run.report.cause->what();
  return run.report.cause->what();
}

TEST(Gunzip, OpensWhatTheRealGzipMade) {
  const Bytes input = test::pattern(300'000) + Bytes(300'000, std::byte{'x'});
  for (const char* tool : {"gzip -1", "gzip -9", "{ head -c 1000 | gzip; gzip; }"}) {
    const Bytes compressed = test::pipe_through(tool, input).output;
    const auto run = gunzip(compressed);
    EXPECT_EQ(run.report.outcome, Outcome::stored) << tool;
    EXPECT_TRUE(run.output == input) << tool;
  }
}

TEST(Gunzip, OpensMembersCutAtAnyPlace) {
  for (const std::size_t chunk_bytes : {1, 2, 3, 7, 24, 64}) {
    const auto run = gunzip(our_file(), chunk_bytes);
    EXPECT_EQ(run.output, our_contents()) << chunk_bytes;
  }
}

TEST(Gunzip, OpensMembersWithEveryOptionalField) {
  Bytes extra = test::bytes_of("XY\x02\x01..");  // of another's making, and longer than ours
  gz_header header{};
  header.text = 1;
  header.time = 1'000'000'000;
  header.extra = reinterpret_cast<Bytef*>(extra.data());
  header.extra_len = static_cast<uInt>(extra.size());
  Bytes name = test::bytes_of({"name\0", 5});
  header.name = header.comment = reinterpret_cast<Bytef*>(name.data());
  header.hcrc = 1;
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  ASSERT_EQ(deflateSetHeader(&stream, &header), Z_OK);
  Bytes input = hello;
  Bytes compressed(1000);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);

  EXPECT_EQ(gunzip(compressed).output, hello);
  EXPECT_EQ(gunzip(our_file() + compressed).output, our_contents() + hello);
  EXPECT_EQ(gunzip(compressed + our_file()).output, hello + our_contents());
}

TEST(Gunzip, TakesNoInputForNoGzipFile) {
  EXPECT_THAT(failure_of({}), EndsWith("gzip data ends before its first byte"));
}

TEST(Gunzip, SeesThatAFileWasCutShortWhereverThatIs) {
  const Bytes whole = our_file();
  const std::set<std::size_t> borders{member(hello).size(), whole.size() - member({}).size()};
  for (std::size_t length = 1; length < whole.size(); ++length) {
    EXPECT_THAT(failure_of({whole.begin(), whole.begin() + static_cast<long>(length)}),
                EndsWith(borders.contains(length) ? "gzip data ends before its end mark"
                                                  : "gzip data ends in the middle of a member"))
        << length;
  }
  EXPECT_EQ(failure_of(whole), "");
}

TEST(Gunzip, SeesBytesBehindTheLastMember) {
  const Bytes whole = our_file();
  const std::string at_the_end =
      "no gzip member begins at byte " + std::to_string(whole.size()) + ", where one should";
  for (const std::size_t zeros : {1U, 512U, 10'000U}) {
    EXPECT_THAT(failure_of(whole + Bytes(zeros)), EndsWith(at_the_end)) << zeros;
  }
  EXPECT_THAT(failure_of(whole + test::bytes_of("x")), EndsWith(at_the_end));
  EXPECT_THAT(failure_of(whole + test::bytes_of("\x1f")), HasSubstr("middle of a member"));
  EXPECT_THAT(failure_of(whole + test::bytes_of("\x1f\x8b")), HasSubstr("middle of a member"));
  EXPECT_THAT(failure_of(whole + test::bytes_of("\x1f.")), HasSubstr("incorrect header check"));
}

TEST(Gunzip, SeesThatItIsNotGzipData) {
  EXPECT_THAT(failure_of(test::bytes_of("INSERT INTO t")),
              HasSubstr("no gzip member begins at byte 0"));
  EXPECT_THAT(failure_of(test::bytes_of("\x1f\x9d old compress")),
              HasSubstr("incorrect header check"));
  EXPECT_THAT(failure_of(test::bytes_of({"\x28\xb5\x2f\xfd zstd", 9})), HasSubstr("at byte 0"));
}

TEST(Gunzip, NamesThePlaceOfAWrongChecksumAndOfAWrongLength) {
  Bytes file = our_file();
  const std::size_t trailer = member(hello).size() - 8;
  const auto message = [](std::size_t place, const char* reason) {
    return "gzip data is damaged before byte " + std::to_string(place) + ": " + reason;
  };

  file[trailer] ^= std::byte{1};
  EXPECT_THAT(failure_of(file), EndsWith(message(trailer + 4, "incorrect data check")));
  file[trailer] ^= std::byte{1};
  file[trailer + 4] ^= std::byte{1};
  EXPECT_THAT(failure_of(file), EndsWith(message(trailer + 8, "incorrect length check")));
}

TEST(Gunzip, SeesSizesThatAreNotTrue) {
  for (std::size_t place = 16; place < 24; ++place) {
    Bytes file = our_file();
    file[place] ^= std::byte{0x40};
    EXPECT_THAT(failure_of(file), EndsWith("a member has not the size that it states")) << place;
  }
}

TEST(Gunzip, GivesNoWrongByteForAnyFlippedBit) {
  const Bytes whole = our_file();
  // What says nothing about the contents: "text" flag, time, effort, system, and whose field it is.
  const auto is_about_nothing = [](std::size_t place, int bit) {
    return (place == 3 && bit == 0) || (place >= 4 && place < 10) || (place >= 12 && place < 16);
  };
  const std::size_t deflate_padding = member(hello).size() - 9;
  for (std::size_t place = 0; place < member(hello).size(); ++place) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes file = whole;
      file[place] ^= static_cast<std::byte>(1 << bit);
      const auto run = gunzip(file);
      if (run.report.outcome == Outcome::failed) continue;
      EXPECT_EQ(run.output, our_contents()) << place << '.' << bit;
      EXPECT_TRUE(is_about_nothing(place, bit) || place == deflate_padding) << place << '.' << bit;
    }
  }
}

TEST(Gunzip, NeedsNoMoreMemoryThanItDeclares) {
  const Bytes compressed = member(Bytes(20'000'000, std::byte{0})) + member({});

  const auto run = gunzip(compressed);

  EXPECT_EQ(run.output.size(), 20'000'000U);
  EXPECT_TRUE(run.report.warnings.empty());  // the runner warns of a plan that was exceeded
}

}  // namespace
}  // namespace bp::stages
