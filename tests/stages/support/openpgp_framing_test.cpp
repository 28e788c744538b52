#include "stages/support/openpgp_framing.hpp"

#include "engine/error.hpp"
#include "tests/support/command.hpp"
#include "tests/support/memory_stages.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

namespace bp::stages {
namespace {

using test::Bytes;
using testing::HasSubstr;

Bytes octets(std::initializer_list<unsigned> values) {
  Bytes bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes body(std::size_t length) {
  return Bytes(length, std::byte{0xAA});
}

OpenPgpFraming framing_of(const Bytes& bytes) {
  OpenPgpFraming framing;
  framing.feed(bytes);
  return framing;
}

bool closed_after(const Bytes& bytes) {
  return framing_of(bytes).closed();
}

std::string refusal_of(const Bytes& bytes) {
  try {
    framing_of(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::transform);
    return error.what();
  }
  return "";
}

/// Encrypted by the real gpg, with its own settings but for the compression.
Bytes encrypted_by_gpg(std::size_t length) {
  const test::TemporaryFolder home;
  const auto result = test::pipe_through(
      "gpg --no-options --homedir " + home.path().native() +
          " --batch --no-autostart --no-keyring --pinentry-mode loopback --passphrase x "
          "--s2k-count 65536 --compress-algo none --symmetric --output -",
      test::pattern(length));
  EXPECT_EQ(result.status, 0);
  return result.output;
}

const Bytes new_mdc_tag = octets({0xC0 | 18});

TEST(OpenPgpFraming, IsNotClosedByNothing) {
  EXPECT_FALSE(OpenPgpFraming{}.closed());
}

TEST(OpenPgpFraming, ClosesWhatGpgWroteAndNoPrefixOfIt) {
  const Bytes message = encrypted_by_gpg(20'000);
  OpenPgpFraming framing;
  for (const std::byte& byte : message) {
    ASSERT_FALSE(framing.closed());
    framing.feed({&byte, 1});
  }
  EXPECT_TRUE(framing.closed());
  EXPECT_GT(framing.encrypted_bytes(), 20'000U);
  EXPECT_LT(framing.encrypted_bytes(), message.size());
}

TEST(OpenPgpFraming, ClosesWhatGpgWroteAtEveryLengthAroundItsPieces) {
  for (const std::size_t length :
       {0, 1, 100, 191, 192, 193, 511, 512, 8'191, 8'192, 8'193, 8'383, 8'384, 65'536}) {
    const Bytes message = encrypted_by_gpg(length);
    EXPECT_TRUE(closed_after(message)) << length;
    EXPECT_FALSE(closed_after({message.begin(), message.end() - 1})) << length;
  }
}

TEST(OpenPgpFraming, KnowsEveryFormOfLength) {
  EXPECT_TRUE(closed_after(new_mdc_tag + octets({0})));
  EXPECT_TRUE(closed_after(new_mdc_tag + octets({191}) + body(191)));
  EXPECT_TRUE(closed_after(new_mdc_tag + octets({192, 0}) + body(192)));
  EXPECT_TRUE(closed_after(new_mdc_tag + octets({223, 255}) + body(8'383)));
  EXPECT_TRUE(closed_after(new_mdc_tag + octets({255, 0, 0, 0x30, 0x39}) + body(12'345)));
  EXPECT_FALSE(closed_after(new_mdc_tag + octets({223, 255}) + body(8'382)));
  EXPECT_FALSE(closed_after(new_mdc_tag + octets({255, 0, 0, 0x30, 0x39}) + body(12'344)));
}

TEST(OpenPgpFraming, WaitsForADefiniteLengthAfterPartialOnes) {
  const Bytes partial = new_mdc_tag + octets({0xE9}) + body(512);
  EXPECT_FALSE(closed_after(partial));
  EXPECT_FALSE(closed_after(partial + octets({0xE0}) + body(1)));
  EXPECT_TRUE(closed_after(partial + octets({0})));
  EXPECT_TRUE(closed_after(partial + octets({5}) + body(5)));
  EXPECT_EQ(framing_of(partial + octets({5}) + body(5)).encrypted_bytes(), 517U);
}

TEST(OpenPgpFraming, SkipsKeysOfEitherFormatInFrontOfTheMessage) {
  const Bytes old_symmetric = octets({0x80 | (3 << 2), 3}) + body(3);
  const Bytes old_public = octets({0x80 | (1 << 2) | 1, 0x01, 0x04}) + body(260);
  const Bytes old_long = octets({0x80 | (1 << 2) | 2, 0, 0, 0, 2}) + body(2);
  EXPECT_FALSE(closed_after(old_symmetric));
  EXPECT_TRUE(
      closed_after(old_symmetric + old_public + old_long + new_mdc_tag + octets({1}) + body(1)));
}

TEST(OpenPgpFraming, RefusesWhatIsNoEncryptedMessage) {
  const Bytes message = new_mdc_tag + octets({1}) + body(1);
  EXPECT_THAT(refusal_of(test::bytes_of("-- MariaDB dump")), HasSubstr("begins with 0x2d"));
  EXPECT_THAT(refusal_of(octets({0xC0 | 11})), HasSubstr("not encrypted (tag 11)"));
  EXPECT_THAT(refusal_of(octets({0xC0 | 8})), HasSubstr("not encrypted (tag 8)"));
  EXPECT_THAT(refusal_of(octets({0xC0 | 9})), HasSubstr("without integrity protection"));
  EXPECT_THAT(refusal_of(octets({0x80 | (3 << 2) | 3})), HasSubstr("begins with 0x8f"));
  EXPECT_THAT(refusal_of(message + message), HasSubstr("follows the encrypted"));
  EXPECT_THAT(refusal_of(message + octets({0})), HasSubstr("follows the encrypted"));
}

}  // namespace
}  // namespace bp::stages
