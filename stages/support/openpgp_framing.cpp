#include "stages/support/openpgp_framing.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bp::stages {

void OpenPgpFraming::feed(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (indeterminate_) return;
    if (expect_ == Expect::body) {
      const std::uint64_t skipped = std::min<std::uint64_t>(left_, bytes.size());
      bytes = bytes.subspan(static_cast<std::size_t>(skipped));
      left_ -= skipped;
      if (left_ == 0) expect_ = partial_ ? Expect::length : Expect::tag;
      continue;
    }
    const auto byte = std::to_integer<std::uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    expect_ == Expect::tag ? take_tag(byte) : take_length(byte);
  }
}

bool OpenPgpFraming::closed() const noexcept {
  return expect_ == Expect::tag && encrypted_seen_ && !indeterminate_;
}

void OpenPgpFraming::take_tag(std::uint8_t byte) {
  if ((byte & 0x80U) == 0) {
    throw Error{Errc::transform, fmt::format("no OpenPGP packet begins with 0x{:02x}", byte)};
  }
  const bool new_format = (byte & 0x40U) != 0;
  const unsigned tag = new_format ? byte & 0x3FU : (byte >> 2U) & 0x0FU;
  encrypted_seen_ = encrypted_seen_ || tag == 9 || tag == 18 || tag == 20;
  partial_ = false;
  left_ = 0;
  if (new_format) {
    expect_ = Expect::length;
    return;
  }
  const unsigned length_type = byte & 0x03U;
  indeterminate_ = length_type == 3;
  length_bytes_left_ = 1 << length_type;
  expect_ = Expect::more_length;
}

/// The first octet of a new-format length, or one of several octets of any length.
void OpenPgpFraming::take_length(std::uint8_t byte) {
  if (expect_ == Expect::more_length) {
    left_ = (left_ << 8U) | byte;
    if (--length_bytes_left_ == 0) begin_body(left_, false);
    return;
  }
  if (byte < 192) {
    begin_body(byte, false);
  } else if (byte < 224) {
    // Two octets: ((first - 192) << 8) + second + 192. The constant is added to the part that is known.
    left_ = byte - 192U;
    two_octets_ = true;
    length_bytes_left_ = 1;
    expect_ = Expect::more_length;
  } else if (byte < 255) {
    begin_body(std::uint64_t{1} << (byte & 0x1FU), true);
  } else {
    left_ = 0;
    length_bytes_left_ = 4;
    expect_ = Expect::more_length;
  }
}

void OpenPgpFraming::begin_body(std::uint64_t bytes, bool partial) {
  left_ = bytes + (two_octets_ ? 192 : 0);
  two_octets_ = false;
  partial_ = partial;
  expect_ = left_ == 0 ? (partial ? Expect::length : Expect::tag) : Expect::body;
}

}  // namespace bp::stages
