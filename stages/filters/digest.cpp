#include "stages/filters/digest.hpp"

#include "engine/blocking.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <string>
#include <utility>

namespace bp::stages {

namespace {

/// SHA-256 over everything that update() is given.
class Sha256 {
 public:
  Sha256() : context_{EVP_MD_CTX_new()} {
    check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void update(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  [[nodiscard]] std::string hex() && {
    std::array<unsigned char, 32> digest{};
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return fmt::format("{:02x}", fmt::join(digest, ""));
  }

 private:
  static void check(bool ok) {
    if (!ok) throw Error{Errc::internal, "openssl failed to compute a sha-256"};
  }
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

class DigestFilter final : public BlockingFilter {
 public:
  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return {.min_chunks = 1, .wanted_chunks = 1};  // what it reads is what it writes
  }

 protected:
  void transform_blocking(BlockingInlet& in, BlockingOutlet& out, StageContext& ctx) override {
    Sha256 digest;
    std::uint64_t bytes = 0;
    while (std::optional<Chunk> chunk = in.pop()) {
      digest.update(chunk->bytes());
      bytes += chunk->bytes().size();
      out.push(std::move(*chunk));
    }
    ctx.note("sha256", std::move(digest).hex());
    ctx.note("bytes", std::to_string(bytes));
  }
};

}  // namespace

std::unique_ptr<Filter> digest_filter() {
  return std::make_unique<DigestFilter>();
}

}  // namespace bp::stages
