#include "bench/pass_filter.hpp"

#include "engine/blocking.hpp"

#include <utility>

namespace bp::bench {

namespace {

class Pass final : public Filter {
 public:
  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext&) override {
    while (std::optional<Chunk> chunk = co_await in.pop()) co_await out.push(std::move(*chunk));
  }
};

class PassOnThread final : public BlockingFilter {
 protected:
  void transform_blocking(BlockingInlet& in, BlockingOutlet& out, StageContext&) override {
    while (std::optional<Chunk> chunk = in.pop()) out.push(std::move(*chunk));
  }
};

template <class Type>
void add(stages::Registry& registry, std::string name) {
  const auto make = [](const stages::BuildContext&) { return std::make_unique<Type>(); };
  registry.add_filter(std::move(name), [make](config::OptionReader&) {
    return stages::FilterType{.extension = "", .argv = {}, .make = make, .make_inverse = make};
  });
}

}  // namespace

void register_pass_filters(stages::Registry& registry) {
  add<Pass>(registry, "pass");
  add<PassOnThread>(registry, "pass-thread");
}

}  // namespace bp::bench
