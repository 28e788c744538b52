#include "stages/filters/gpg_child.hpp"

#include "engine/error.hpp"
#include "tests/support/memory_stages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace bp::stages {
namespace {

/// An encrypted packet with a body of 100 bytes, less the last `missing` ones.
OpenPgpFraming output(std::size_t missing = 0) {
  test::Bytes bytes(102 - missing);
  bytes[0] = std::byte{0xD2};
  bytes[1] = std::byte{100};
  OpenPgpFraming framing;
  framing.feed(bytes);
  return framing;
}

GpgEnd good_end() {
  return {.exit = {},
          .stderr_tail = "",
          .status = "[GNUPG:] BEGIN_ENCRYPTION 2 9\n[GNUPG:] END_ENCRYPTION\n",
          .fed_all = true,
          .bytes_fed = 50};
}

std::string verdict(const GpgEnd& end, const OpenPgpFraming& framing = output()) {
  try {
    require_success(end, framing);
    return "success";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::transform);
    return error.what();
  }
}

TEST(GpgVerdict, IsSuccessWhenEverythingHolds) {
  EXPECT_EQ(verdict(good_end()), "success");
}

TEST(GpgVerdict, FailsForEachConditionAlone) {
  GpgEnd killed = good_end();
  killed.exit.signal = SIGKILL;
  GpgEnd failed = good_end();
  failed.exit.code = 2;
  GpgEnd left_early = good_end();
  left_early.fed_all = false;
  GpgEnd silent = good_end();
  silent.status = "[GNUPG:] BEGIN_ENCRYPTION 2 9\n";
  GpgEnd half_said = good_end();
  half_said.status = "[GNUPG:] END_ENCRYPTION";
  GpgEnd short_of_bytes = good_end();
  short_of_bytes.bytes_fed = 100;

  EXPECT_EQ(verdict(killed), "gpg was killed by signal 9 (Killed)");
  EXPECT_EQ(verdict(failed), "gpg failed with exit status 2");
  EXPECT_EQ(verdict(left_early), "gpg ended before it had read everything");
  EXPECT_EQ(verdict(silent), "gpg did not confirm the end of the encryption");
  EXPECT_EQ(verdict(half_said), "gpg did not confirm the end of the encryption");
  EXPECT_EQ(verdict(good_end(), output(1)),
            "gpg ended its output in the middle of an OpenPGP packet");
  EXPECT_EQ(verdict(short_of_bytes), "gpg gave 100 encrypted bytes for 100 bytes");
}

TEST(GpgVerdict, QuotesGpgsLastWords) {
  GpgEnd end = good_end();
  end.exit.code = 2;
  end.stderr_tail = "gpg: one\ngpg: two\n\ngpg: three\ngpg: four\n";
  EXPECT_EQ(verdict(end), "gpg failed with exit status 2: gpg: two; gpg: three; gpg: four");
}

}  // namespace
}  // namespace bp::stages
