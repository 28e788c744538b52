#include "stages/support/openpgp_framing.hpp"

#include "engine/error.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace bp::stages {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

void append(Bytes& all, const Bytes& more) { all.insert(all.end(), more.begin(), more.end()); }

/// Old-format packet 3 (encrypted session key) of 2 bytes, then packet 18 in a partial piece of 512 bytes and
/// a last piece of 3: what gpg -c writes, in small.
Bytes message() {
  Bytes all = bytes({0x8C, 0x02, 0x01, 0x02, 0xD2, 0xE9});
  append(all, Bytes(512));
  append(all, bytes({0x03, 7, 8, 9}));
  return all;
}

bool closed_after(const Bytes& stream, std::size_t piece) {
  OpenPgpFraming framing;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    framing.feed(std::span{stream}.subspan(at, std::min(piece, stream.size() - at)));
  }
  return framing.closed();
}

TEST(OpenPgpFraming, IsClosedAtTheEndOfTheMessageHoweverItIsCutIntoPieces) {
  for (const std::size_t piece : {1U, 2U, 7U, 511U, 4096U}) {
    EXPECT_TRUE(closed_after(message(), piece)) << piece;
  }
}

TEST(OpenPgpFraming, IsOpenAtEveryOtherPlace) {
  const Bytes whole = message();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(closed_after(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)),
                              4096))
        << length;
  }
}

TEST(OpenPgpFraming, ReadsEveryFormOfLength) {
  // Two octets: ((200 - 192) << 8) + 10 + 192 = 2250.
  Bytes two = bytes({0xD2, 200, 10});
  append(two, Bytes(2250));
  EXPECT_TRUE(closed_after(two, 100));
  two.pop_back();
  EXPECT_FALSE(closed_after(two, 100));

  Bytes five = bytes({0xD2, 255, 0, 1, 0, 2});
  append(five, Bytes(65'538));
  EXPECT_TRUE(closed_after(five, 1000));
  five.push_back(std::byte{0xD2});
  EXPECT_FALSE(closed_after(five, 1000));

  Bytes old_two = bytes({0xA5, 1, 1});  // old format, tag 9, two length octets
  append(old_two, Bytes(257));
  EXPECT_TRUE(closed_after(old_two, 100));
}

TEST(OpenPgpFraming, NeverClosesAPacketThatEndsWithTheFile) {
  EXPECT_FALSE(closed_after(bytes({0xA7, 1, 2, 3}), 10));  // old format, tag 9, indeterminate length
}

TEST(OpenPgpFraming, NeedsEncryptedDataToBeClosed) {
  EXPECT_FALSE(closed_after(bytes({0x8C, 0x01, 0x00}), 10));
}

TEST(OpenPgpFraming, RefusesWhatIsNoPacket) {
  OpenPgpFraming framing;
  EXPECT_THROW(framing.feed(bytes({'g', 'p', 'g'})), Error);
}

}  // namespace
}  // namespace bp::stages
