#include "stages/filters/gunzip.hpp"

#include "engine/codec.hpp"
#include "stages/filters/gzip_member.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>

namespace bp::stages {

namespace {

constexpr std::size_t library_bytes = 48 << 10;  // zlib's window and state

class GunzipCodec final : public Codec {
 public:
  GunzipCodec() {
    constexpr int gzip_only = 16;  // zlib's way of asking for gzip instead of zlib framing
    if (inflateInit2(&stream_, gzip_only + MAX_WBITS) != Z_OK) {
      throw Error{Errc::transform, "unable to start zlib"};
    }
  }
  GunzipCodec(const GunzipCodec&) = delete;
  GunzipCodec& operator=(const GunzipCodec&) = delete;
  ~GunzipCodec() override { inflateEnd(&stream_); }

  Step step(std::span<const std::byte> in, std::span<std::byte> out, Input input) override {
    if (between_members_) {
      if (input == Input::last) {
        check_end();
        return {.consumed = 0, .produced = 0, .done = true};
      }
      begin_member(in.front());
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    const Step done{.consumed = in.size() - stream_.avail_in,
                    .produced = out.size() - stream_.avail_out,
                    .done = false};
    offset_ += done.consumed;

    if (result == Z_STREAM_END) end_member();
    if (result == Z_DATA_ERROR) throw damage(stream_.msg);
    if (result == Z_MEM_ERROR) throw Error{Errc::transform, "no memory to inflate gzip data"};
    if (result == Z_BUF_ERROR && input == Input::last) throw cut_short("in the middle of a member");
    if (result != Z_STREAM_END && result != Z_OK && result != Z_BUF_ERROR) {
      throw Error{Errc::internal, fmt::format("zlib state was damaged: {}", result)};
    }
    return done;
  }

 private:
  void begin_member(std::byte first) {
    // zlib would wait for a second byte, and so take a single stray one for a member cut short.
    if (first != std::byte{0x1f}) {
      throw Error{Errc::transform,
                  fmt::format("no gzip member begins at byte {}, where one should", offset_),
                  offset_ == 0 ? "" : "Something was appended to the file, if only zeros."};
    }
    inflateReset(&stream_);
    header_ = {};
    header_.extra = extra_.data();
    header_.extra_max = static_cast<uInt>(extra_.size());
    inflateGetHeader(&stream_, &header_);
    between_members_ = false;
  }

  void check_end() const {
    if (offset_ == 0) throw cut_short("before its first byte");
    if (end_mark_due_) throw cut_short("before its end mark");
  }

  void end_member() {
    between_members_ = true;
    end_mark_due_ = false;
    if (header_.extra == nullptr || header_.extra_len > extra_.size()) return;
    const auto sizes = member_sizes(std::as_bytes(std::span{extra_}.first(header_.extra_len)));
    if (!sizes) return;
    // zlib has compared CRC and length. A reader that goes by the sizes must not see other members.
    if (sizes->member_bytes != stream_.total_in || sizes->raw_bytes != stream_.total_out) {
      throw damage("a member has not the size that it states");
    }
    end_mark_due_ = sizes->raw_bytes != 0;
  }

  [[nodiscard]] static Error cut_short(std::string_view where) {
    return {Errc::transform, fmt::format("gzip data ends {}", where),
            "The file was cut short: compare its size with the one that was stored."};
  }
  [[nodiscard]] Error damage(std::string_view reason) const {
    return {Errc::transform,
            fmt::format("gzip data is damaged before byte {}: {}", offset_, reason)};
  }

  z_stream stream_{};
  gz_header header_{};
  std::array<Bytef, 12> extra_{};  ///< of this member, if it is as short as ours
  bool between_members_ = true;
  bool end_mark_due_ = false;  ///< the last member was one of ours, and not empty
  std::uint64_t offset_ = 0;   ///< of input consumed, in all members
};

}  // namespace

std::unique_ptr<Filter> gunzip_filter() {
  return std::make_unique<CodecFilter>(std::make_unique<GunzipCodec>(),
                                       MemoryDemand{.library_bytes = library_bytes});
}

}  // namespace bp::stages
