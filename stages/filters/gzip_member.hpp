// stages/filters/gzip_member.hpp — gzip members that say how long they are.
//
// A gzip file is a row of members, each complete in itself (RFC 1952). Ours carry their sizes in an
// extra field, so that a reader can find all members without inflating one, and inflate them side
// by side. It is BGZF's idea with room for members over 64 KiB; other readers skip it. Little
// endian:
//
//     0  1f 8b        magic
//     2  08           deflate
//     3  04           flags: an extra field follows, nothing else
//     4  00 00 00 00  no time, so that equal input gives equal output
//     8  00           nothing said about the effort
//     9  ff           unknown system
//    10  0c 00        length of the extra field
//    12  'B' 'P'      our subfield
//    14  08 00        its length
//    16  ....         bytes of the whole member, this header and the trailer included
//    20  ....         bytes of its contents
//    24  deflate data, then CRC-32 and length of the contents, 4 bytes each
//
// The last member is empty: the end mark. A file cut at the border of two members is whole to any
// other reader; to ours it lacks its end mark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

struct libdeflate_compressor;

namespace bp::stages {

struct MemberSizes {
  std::uint32_t member_bytes;  ///< from its first header byte to its last trailer byte
  std::uint32_t raw_bytes;
};

/// What our extra field says; empty for any field that is not exactly ours.
[[nodiscard]] std::optional<MemberSizes> member_sizes(
    std::span<const std::byte> extra_field) noexcept;

/// Makes members, one at a time and each on its own. One thread at a time.
class MemberCompressor {
 public:
  /// `level` is libdeflate's, 1 to 12. Throws Errc::transform when there is no memory for it.
  explicit MemberCompressor(int level);

  /// Most bytes that a member with `raw_bytes` of contents can have.
  [[nodiscard]] static std::size_t bound(std::size_t raw_bytes) noexcept;
  /// What the library allocates for one compressor.
  [[nodiscard]] static std::size_t library_bytes(int level) noexcept;

  /// Writes the member of `raw`, at most 1 GiB, to the beginning of `out`, which has bound() bytes
  /// of room. Returns the member's size.
  [[nodiscard]] std::size_t compress(std::span<const std::byte> raw, std::span<std::byte> out);

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const noexcept;
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
};

}  // namespace bp::stages
