#include "stages/filters/digest.hpp"

#include "engine/blocking.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <string>
#include <utility>

namespace bp::stages {

namespace {

std::string name_of(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::sha512 ? "sha512" : "sha256";
}

/// The digest of everything that update() is given.
class Digest {
 public:
  explicit Digest(DigestAlgorithm algorithm) : context_{EVP_MD_CTX_new()} {
    const EVP_MD* type = algorithm == DigestAlgorithm::sha512 ? EVP_sha512() : EVP_sha256();
    check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), type, nullptr) == 1);
  }
  void update(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  [[nodiscard]] std::string hex() && {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1);
    return fmt::format("{:02x}", fmt::join(std::span{digest}.first(length), ""));
  }

 private:
  static void check(bool ok) {
    if (!ok) throw Error{Errc::internal, "openssl failed to compute a digest"};
  }
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

class DigestFilter final : public BlockingFilter {
 public:
  explicit DigestFilter(DigestAlgorithm algorithm) : algorithm_{algorithm} {}
  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return {.min_chunks = 1, .wanted_chunks = 1};  // what it reads is what it writes
  }

 protected:
  void transform_blocking(BlockingInlet& in, BlockingOutlet& out, StageContext& ctx) override {
    Digest digest{algorithm_};
    std::uint64_t bytes = 0;
    while (std::optional<Chunk> chunk = in.pop()) {
      digest.update(chunk->bytes());
      bytes += chunk->bytes().size();
      out.push(std::move(*chunk));
    }
    ctx.note(name_of(algorithm_), std::move(digest).hex());
    ctx.note("bytes", std::to_string(bytes));
  }

 private:
  const DigestAlgorithm algorithm_;
};

}  // namespace

std::unique_ptr<Filter> digest_filter(DigestAlgorithm algorithm) {
  return std::make_unique<DigestFilter>(algorithm);
}

}  // namespace bp::stages
