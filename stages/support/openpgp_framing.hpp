// stages/support/openpgp_framing.hpp — is this one encrypted OpenPGP message, and all of it?
//
// Source: RFC 4880 section 4.2. gpg writes encrypted data as one packet in pieces of known length
// ("partial body lengths"); only the last piece has a definite length. A stream that ends anywhere
// else was cut off. In front of that packet are only the keys to it, behind it is nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bp::stages {

/// Walks over the packet headers of a binary OpenPGP stream, fed in pieces of any size.
class OpenPgpFraming {
 public:
  /// Throws Errc::transform for what cannot belong to an encrypted message: no packet at all, an
  /// unencrypted one, one without integrity protection, anything behind the encrypted packet.
  void feed(std::span<const std::byte> bytes);
  /// True when the encrypted packet has been seen to its end.
  [[nodiscard]] bool closed() const noexcept;
  /// What has been seen of the encrypted packet's body: always more than went into it, unless
  /// something was compressed or lost.
  [[nodiscard]] std::uint64_t encrypted_bytes() const noexcept { return encrypted_bytes_; }

 private:
  enum class Expect : std::uint8_t { tag, first_length, more_length, body };
  void take_tag(std::uint8_t byte);
  void take_first_length(std::uint8_t byte);
  void take_more_length(std::uint8_t byte);
  void begin_body(std::uint64_t bytes);

  Expect expect_ = Expect::tag;
  bool partial_ = false;    ///< another length follows this piece
  bool encrypted_ = false;  ///< this packet, or the one before, is the encrypted one
  std::uint64_t encrypted_bytes_ = 0;
  std::uint64_t left_ = 0;  ///< of the body, or what has been read of its length
  int length_bytes_left_ = 0;
  std::uint64_t length_base_ = 0;  ///< lengths of two bytes count from 192
};

}  // namespace bp::stages
