#include "stages/filters/gzip_member.hpp"

#include "tests/support/memory_stages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libdeflate.h>

#include <cstdlib>

namespace bp::stages {
namespace {

using test::Bytes;
using ::testing::ElementsAreArray;

Bytes member_of(const Bytes& raw, int level) {
  Bytes member(MemberCompressor::bound(raw.size()));
  member.resize(MemberCompressor{level}.compress(raw, member));
  return member;
}

std::vector<int> numbers(std::span<const std::byte> bytes) {
  std::vector<int> result;
  for (const std::byte byte : bytes) result.push_back(std::to_integer<int>(byte));
  return result;
}

TEST(GzipMember, HasTheHeaderThatTheFileFormatPromises) {
  const Bytes member = member_of(test::pattern(0x010203), 6);

  ASSERT_GT(member.size(), 0x010203U);  // a pattern cannot be compressed
  const auto size = static_cast<int>(member.size());
  EXPECT_THAT(numbers(std::span{member}.first(24)), ElementsAreArray({0x1f,
                                                                      0x8b,
                                                                      8,
                                                                      4,
                                                                      0,
                                                                      0,
                                                                      0,
                                                                      0,
                                                                      0,
                                                                      0xff,  // RFC 1952
                                                                      12,
                                                                      0,
                                                                      'B',
                                                                      'P',
                                                                      8,
                                                                      0,  // extra field
                                                                      size & 0xff,
                                                                      size >> 8 & 0xff,
                                                                      size >> 16 & 0xff,
                                                                      0,  // member
                                                                      0x03,
                                                                      0x02,
                                                                      0x01,
                                                                      0}));  // contents
}

TEST(GzipMember, StatesItsSizes) {
  const Bytes raw = test::bytes_of("to be, or not to be");
  const Bytes member = member_of(raw, 6);

  const auto sizes = member_sizes(std::span{member}.subspan(12, 12));

  ASSERT_TRUE(sizes);
  EXPECT_EQ(sizes->member_bytes, member.size());
  EXPECT_EQ(sizes->raw_bytes, raw.size());
}

TEST(GzipMember, TakesNoOtherExtraFieldForOurs) {
  const Bytes ours = test::bytes_of({"BP\x08\0abcdefgh", 12});
  ASSERT_TRUE(member_sizes(ours));
  for (const std::size_t length : {0, 4, 11}) {
    EXPECT_FALSE(member_sizes(std::span{ours}.first(length))) << length;
  }
  EXPECT_FALSE(member_sizes(test::bytes_of({"BP\x08\0abcdefghi", 13})));
  EXPECT_FALSE(member_sizes(test::bytes_of({"BC\x08\0abcdefgh", 12})));
  EXPECT_FALSE(member_sizes(test::bytes_of({"BP\x02\0abcdefgh", 12})));
}

TEST(GzipMember, FitsItsBoundWhateverTheContents) {
  for (const std::size_t length : {0, 1, 2, 1000, 65'535, 65'536, 1 << 20}) {
    const Bytes raw = test::pattern(length);
    for (int level = 1; level <= 12; ++level) {
      EXPECT_LE(member_of(raw, level).size(), MemberCompressor::bound(length)) << level;
    }
  }
}

std::size_t allocated;

TEST(GzipMember, DeclaresTheMemoryThatTheLibraryTakes) {
  const auto counting = [](std::size_t bytes) {
    allocated += bytes;
    return std::malloc(bytes);
  };
  libdeflate_set_memory_allocator(counting, std::free);
  for (int level = 1; level <= 12; ++level) {
    allocated = 0;
    { const MemberCompressor compressor{level}; }
    EXPECT_LE(allocated, MemberCompressor::library_bytes(level)) << level;
    EXPECT_GE(allocated * 3 / 2, MemberCompressor::library_bytes(level)) << level;
  }
  libdeflate_set_memory_allocator(std::malloc, std::free);
}

}  // namespace
}  // namespace bp::stages
