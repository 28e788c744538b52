#include "stages/filters/rate_limit.hpp"

#include "stages/registry.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace bp::stages {

namespace {

class RateLimit final : public Filter {
 public:
  explicit RateLimit(std::vector<SharedBucket> buckets) : buckets_{std::move(buckets)} {}

  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return {.min_chunks = 1, .wanted_chunks = 1};  // what it reads is what it writes
  }

  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext& ctx) override {
    asio::steady_timer timer{ctx.io()};
    for (;;) {
      std::optional<Chunk> chunk = co_await in.pop();
      if (!chunk) co_return;
      const auto now = std::chrono::steady_clock::now();
      std::chrono::nanoseconds wait{0};
      for (const SharedBucket& bucket : buckets_) {
        wait = std::max(wait, bucket->take(chunk->bytes().size(), now));
      }
      if (wait.count() > 0) {
        timer.expires_at(now + wait);
        co_await timer.async_wait(asio::use_awaitable);
      }
      co_await out.push(std::move(*chunk));
    }
  }

 private:
  const std::vector<SharedBucket> buckets_;
};

}  // namespace

SharedBucket bucket_of(std::size_t bytes_per_second) {
  return std::make_shared<TokenBucket>(bytes_per_second, bytes_per_second);
}

std::unique_ptr<Filter> rate_limit_filter(std::vector<SharedBucket> buckets) {
  return std::make_unique<RateLimit>(std::move(buckets));
}

void register_filter_rate_limit(Registry& registry) {
  registry.add_filter("rate_limit", [](config::OptionReader& options) {
    const std::size_t rate = options.optional_size("rate").value_or(0);
    if (rate == 0) {
      options.fail("rate", "'rate' must be a size above 0", "bytes per second, like \"10MiB\"");
    }
    const std::size_t burst = options.size("burst", rate);
    FilterType type;
    type.make = [rate, burst](const BuildContext&) {
      return rate_limit_filter({std::make_shared<TokenBucket>(rate, burst)});
    };
    type.make_inverse = [](const BuildContext&) { return rate_limit_filter({}); };
    return type;
  });
}

}  // namespace bp::stages
