#include "stages/filters/gzip_member.hpp"

#include "tests/support/memory_stages.hpp"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <cstdlib>
#include <string>

namespace bp::stages {
namespace {

using test::Bytes;

Bytes member_of(const Bytes& raw, int level) {
  Bytes member(MemberCompressor::bound(raw.size()));
  member.resize(MemberCompressor{level}.compress(raw, member));
  return member;
}

/// As a string, which has literals with NULs in them and prints readably.
std::string slice(const Bytes& bytes, std::size_t offset, std::size_t length) {
  return {reinterpret_cast<const char*>(bytes.data()) + offset, length};
}

TEST(GzipMember, HasTheHeaderThatTheFileFormatPromises) {
  using namespace std::string_literals;
  constexpr std::size_t raw_bytes = 0x010203;
  const Bytes member = member_of(Bytes(raw_bytes, std::byte{0}), 6);
  ASSERT_LT(member.size(), 0x10000U);
  const std::string member_bytes{static_cast<char>(member.size() & 0xff),
                                 static_cast<char>(member.size() >> 8), 0, 0};

  EXPECT_EQ(slice(member, 0, 12), "\x1f\x8b\x08\x04\0\0\0\0\0\xff\x0c\0"s);
  EXPECT_EQ(slice(member, 12, 4), "BP\x08\0"s);
  EXPECT_EQ(slice(member, 16, 4), member_bytes);
  EXPECT_EQ(slice(member, 20, 4), "\x03\x02\x01\0"s);
  EXPECT_EQ(slice(member, member.size() - 4, 4), "\x03\x02\x01\0"s);
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
