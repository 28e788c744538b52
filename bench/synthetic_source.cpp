#include "bench/synthetic_source.hpp"

#include "engine/blocking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace bp::bench {

namespace {

/// Random bytes at the head, zeros behind: a record is short enough for every compressor's window.
constexpr std::size_t record = 4096;

/// splitmix64: every position has its number without the ones before it.
std::uint64_t random_at(std::uint64_t position) {
  std::uint64_t z = position * 0x9E3779B97F4A7C15U + 0x1234567;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

void fill_random(std::span<std::byte> space, std::uint64_t position) {
  for (std::size_t at = 0; at < space.size(); at += sizeof position) {
    const std::uint64_t word = random_at(position + at);
    std::memcpy(space.data() + at, &word, std::min(sizeof word, space.size() - at));
  }
}

/// How much of a record is random, so that with the zeros' own cost (a match of 258 bytes takes
/// about three) the ratio comes out.
std::size_t random_part(double ratio) {
  constexpr double cost_of_zeros = 3.0 / 258;
  const double part = (1 / ratio - cost_of_zeros) / (1 - cost_of_zeros);
  return static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(record));
}

class FilledSource final : public BlockingSource {
 public:
  FilledSource(double ratio, std::uint64_t bytes) : ratio_{ratio}, bytes_{bytes} {}

 protected:
  void produce_blocking(BlockingOutlet& out, StageContext& ctx) override {
    for (std::uint64_t position = 0; position < bytes_;) {
      Buffer buffer = ctx.pool().acquire();
      const auto space = buffer.free_space();
      const auto n =
          static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), bytes_ - position));
      fill_synthetic(space.first(n), ratio_, position);
      buffer.fill(n);
      position += n;
      out.push(std::move(buffer).freeze());
    }
  }

 private:
  const double ratio_;
  const std::uint64_t bytes_;
};

class RepeatingSource final : public Source {
 public:
  explicit RepeatingSource(std::uint64_t bytes) : bytes_{bytes} {}

  asio::awaitable<void> produce(Outlet& out, StageContext& ctx) override {
    Buffer buffer = ctx.pool().acquire();
    const auto space = buffer.free_space();
    fill_synthetic(space, 1, 0);
    buffer.fill(space.size());
    const Chunk block = std::move(buffer).freeze();
    std::uint64_t left = bytes_;
    for (; left >= block.bytes().size(); left -= block.bytes().size()) {
      Chunk shared = block;
      co_await out.push(std::move(shared));
    }
    if (left == 0) co_return;
    Buffer rest = ctx.pool().acquire();
    rest.append(block.bytes().first(static_cast<std::size_t>(left)));
    Chunk last = std::move(rest).freeze();
    co_await out.push(std::move(last));
  }

 private:
  const std::uint64_t bytes_;
};

}  // namespace

SyntheticContent parse_synthetic(std::string_view text) {
  if (text == "repeat") return {.ratio = 1, .repeat = true};
  double ratio = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (failure != std::errc{} || end != text.data() + text.size() || !(ratio >= 1 && ratio <= 10)) {
    throw Error{Errc::config, fmt::format("'{}' is not a compression ratio", text),
                "Write synthetic:RATIO with a number from 1 to 10, or synthetic:repeat."};
  }
  return {.ratio = ratio, .repeat = false};
}

void fill_synthetic(std::span<std::byte> space, double ratio, std::uint64_t position) {
  const std::size_t random = random_part(ratio);
  for (; !space.empty(); position += record) {
    const std::size_t n = std::min(record, space.size());
    const std::size_t head = std::min(random, n);
    fill_random(space.first(head), position);
    std::memset(space.data() + head, 0, n - head);
    space = space.subspan(n);
  }
}

std::unique_ptr<Source> synthetic_source(SyntheticContent content, std::uint64_t bytes) {
  if (content.repeat) return std::make_unique<RepeatingSource>(bytes);
  return std::make_unique<FilledSource>(content.ratio, bytes);
}

}  // namespace bp::bench
