#include "stages/support/openpgp_framing.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bp::stages {

namespace {

/// Names of RFC 4880 section 4.3, and of its successor's AEAD packet.
enum Tag : unsigned {
  public_key_session_key = 1,
  symmetric_key_session_key = 3,
  encrypted_without_integrity = 9,
  marker = 10,
  encrypted_with_mdc = 18,
  encrypted_with_aead = 20,
};

Error no_packet(std::uint8_t byte) {
  return {Errc::transform, fmt::format("no OpenPGP packet begins with 0x{:02x}", byte)};
}

bool is_encrypted_data(unsigned tag) {
  switch (tag) {
    case encrypted_with_mdc:
    case encrypted_with_aead:
      return true;
    case public_key_session_key:
    case symmetric_key_session_key:
    case marker:
      return false;
    case encrypted_without_integrity:
      throw Error{Errc::transform, "an OpenPGP packet is encrypted without integrity protection"};
    default:
      throw Error{Errc::transform, fmt::format("an OpenPGP packet is not encrypted (tag {})", tag)};
  }
}

}  // namespace

void OpenPgpFraming::feed(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (expect_ == Expect::body) {
      const std::uint64_t skipped = std::min<std::uint64_t>(left_, bytes.size());
      bytes = bytes.subspan(static_cast<std::size_t>(skipped));
      left_ -= skipped;
      if (encrypted_) encrypted_bytes_ += skipped;
      if (left_ == 0) expect_ = partial_ ? Expect::first_length : Expect::tag;
      continue;
    }
    const auto byte = std::to_integer<std::uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (expect_ == Expect::tag) {
      take_tag(byte);
    } else if (expect_ == Expect::first_length) {
      take_first_length(byte);
    } else {
      take_more_length(byte);
    }
  }
}

bool OpenPgpFraming::closed() const noexcept {
  return encrypted_ && expect_ == Expect::tag;
}

void OpenPgpFraming::take_tag(std::uint8_t byte) {
  if (encrypted_) {
    throw Error{Errc::transform, "something follows the encrypted OpenPGP packet"};
  }
  if ((byte & 0x80U) == 0) throw no_packet(byte);
  const bool new_format = (byte & 0x40U) != 0;
  encrypted_ = is_encrypted_data(new_format ? byte & 0x3FU : (byte >> 2U) & 0x0FU);
  if (new_format) {
    expect_ = Expect::first_length;
    return;
  }
  const unsigned length_type = byte & 0x03U;
  // "Until the end of the file" could never be told from a cut-off packet.
  if (length_type == 3) throw no_packet(byte);
  partial_ = false;
  left_ = 0;
  length_base_ = 0;
  length_bytes_left_ = 1 << length_type;
  expect_ = Expect::more_length;
}

void OpenPgpFraming::take_first_length(std::uint8_t byte) {
  partial_ = byte >= 224 && byte < 255;
  if (partial_) return begin_body(std::uint64_t{1} << (byte & 0x1FU));
  if (byte < 192) return begin_body(byte);
  const bool two_bytes = byte < 224;
  left_ = two_bytes ? byte - 192U : 0;
  length_base_ = two_bytes ? 192 : 0;
  length_bytes_left_ = two_bytes ? 1 : 4;
  expect_ = Expect::more_length;
}

void OpenPgpFraming::take_more_length(std::uint8_t byte) {
  left_ = (left_ << 8U) | byte;
  if (--length_bytes_left_ == 0) begin_body(left_ + length_base_);
}

void OpenPgpFraming::begin_body(std::uint64_t bytes) {
  left_ = bytes;
  expect_ = bytes > 0 ? Expect::body : Expect::tag;
}

}  // namespace bp::stages
