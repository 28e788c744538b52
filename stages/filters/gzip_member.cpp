#include "stages/filters/gzip_member.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <array>

namespace bp::stages {

namespace {

constexpr std::size_t header_bytes = 24;
constexpr std::size_t trailer_bytes = 8;

constexpr std::array<std::uint8_t, 12> before_extra_field{0x1f, 0x8b, 8, 4,    0,  0,
                                                          0,    0,    0, 0xff, 12, 0};
constexpr std::array<std::uint8_t, 4> subfield{'B', 'P', 8, 0};

/// Writes fixed-width little-endian numbers one after the other.
class Writer {
 public:
  explicit Writer(std::byte* to) : to_{to} {}

  void bytes(std::span<const std::uint8_t> values) {
    for (const std::uint8_t value : values) *to_++ = std::byte{value};
  }
  void u32(std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) *to_++ = static_cast<std::byte>(value >> shift);
  }

 private:
  std::byte* to_;
};

std::uint32_t read_u32(std::span<const std::byte, 4> bytes) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= std::to_integer<std::uint32_t>(bytes[i]) << (8 * i);
  }
  return value;
}

}  // namespace

std::optional<MemberSizes> member_sizes(std::span<const std::byte> extra_field) noexcept {
  if (extra_field.size() != subfield.size() + 8) return std::nullopt;
  const auto is_same = [](std::uint8_t ours, std::byte theirs) {
    return std::byte{ours} == theirs;
  };
  if (!std::equal(subfield.begin(), subfield.end(), extra_field.begin(), is_same)) {
    return std::nullopt;
  }
  return MemberSizes{.member_bytes = read_u32(extra_field.subspan<4, 4>()),
                     .raw_bytes = read_u32(extra_field.subspan<8, 4>())};
}

void MemberCompressor::Free::operator()(libdeflate_compressor* compressor) const noexcept {
  libdeflate_free_compressor(compressor);
}

MemberCompressor::MemberCompressor(int level) : compressor_{libdeflate_alloc_compressor(level)} {
  if (!compressor_) {
    throw Error{Errc::transform, fmt::format("no memory for a compressor of level {}", level),
                "Levels below 10 need far less."};
  }
}

std::size_t MemberCompressor::bound(std::size_t raw_bytes) noexcept {
  return header_bytes + libdeflate_deflate_compress_bound(nullptr, raw_bytes) + trailer_bytes;
}

std::size_t MemberCompressor::library_bytes(int level) noexcept {
  // Not for the asking in the library's interface; measured, and watched by a test.
  if (level == 1) return 256 << 10;
  return level < 10 ? 704 << 10 : 9 << 20;
}

std::size_t MemberCompressor::compress(std::span<const std::byte> raw, std::span<std::byte> out) {
  const std::span<std::byte> room =
      out.subspan(header_bytes, out.size() - header_bytes - trailer_bytes);
  const std::size_t deflated = libdeflate_deflate_compress(compressor_.get(), raw.data(),
                                                           raw.size(), room.data(), room.size());
  if (deflated == 0) throw Error{Errc::internal, "a gzip block outgrew its bound"};

  const std::size_t member_bytes = header_bytes + deflated + trailer_bytes;
  const auto raw_bytes = static_cast<std::uint32_t>(raw.size());
  Writer header{out.data()};
  header.bytes(before_extra_field);
  header.bytes(subfield);
  header.u32(static_cast<std::uint32_t>(member_bytes));
  header.u32(raw_bytes);
  Writer trailer{out.data() + header_bytes + deflated};
  trailer.u32(libdeflate_crc32(0, raw.data(), raw.size()));
  trailer.u32(raw_bytes);
  return member_bytes;
}

}  // namespace bp::stages
