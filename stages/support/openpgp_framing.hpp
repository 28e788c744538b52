// stages/support/openpgp_framing.hpp — does an OpenPGP stream end where its packets end?
//
// Source: RFC 4880 section 4.2. gpg writes encrypted data as one packet in pieces of known length ("partial
// body lengths"); only the last piece has a definite length. A stream that ends anywhere else was cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace bp::stages {

/// Walks over the packet headers of a binary OpenPGP stream, fed in pieces of any size.
class OpenPgpFraming {
 public:
  /// Throws Errc::transform for bytes that cannot be an OpenPGP packet header.
  void feed(std::span<const std::byte> bytes);
  /// True at the end of a packet (not of a partial piece), after an encrypted-data packet was seen.
  [[nodiscard]] bool closed() const noexcept;

 private:
  enum class Expect : std::uint8_t { tag, length, more_length, body };
  void take_tag(std::uint8_t byte);
  void take_length(std::uint8_t byte);
  void begin_body(std::uint64_t bytes, bool partial);

  Expect expect_ = Expect::tag;
  bool partial_ = false;         ///< another length follows this piece
  bool encrypted_seen_ = false;  ///< a packet with tag 9, 18 or 20
  bool indeterminate_ = false;   ///< an old-format packet that ends with the file: never closed
  std::uint64_t left_ = 0;       ///< of the body, or what has been read of the length
  int length_bytes_left_ = 0;
  bool two_octets_ = false;  ///< such a length counts from 192
};

}  // namespace bp::stages
