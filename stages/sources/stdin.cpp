// stages/sources/stdin.cpp — what somebody else pipes into us.
//
// The weakest source there is: the end of standard input looks the same whether its writer finished
// or died, and its exit status is not ours to see. A `command` source is the better choice wherever
// it is possible.
#include "engine/blocking.hpp"
#include "stages/registry.hpp"
#include "stages/sources/extension.hpp"
#include "stages/support/unique_fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <stop_token>
#include <utility>

namespace bp::stages {

namespace {

Error unable_to_read(int reason) {
  return {Errc::source, fmt::format("unable to read standard input: {}", system_reason(reason))};
}

/// Waits for input in a way that a stop request ends.
class StoppableInput {
 public:
  explicit StoppableInput(std::stop_token stop)
      : wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
        on_stop_{std::move(stop), Wake{wake_.get()}} {
    if (!wake_) throw unable_to_read(errno);
  }

  /// Some bytes; 0 at the end.
  std::size_t read(std::span<std::byte> space) {
    for (;;) {
      wait();
      const auto count = ::read(STDIN_FILENO, space.data(), space.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR && errno != EAGAIN) throw unable_to_read(errno);
    }
  }

 private:
  struct Wake {
    int eventfd;
    void operator()() const {
      constexpr std::uint64_t once = 1;
      [[maybe_unused]] const auto written = ::write(eventfd, &once, sizeof once);
    }
  };

  void wait() {
    std::array<pollfd, 2> both{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
    while (::poll(both.data(), both.size(), -1) < 0) {
      if (errno != EINTR) throw unable_to_read(errno);
    }
    if (both[1].revents != 0) throw Error{Errc::cancelled, "cancelled"};
  }

  UniqueFd wake_;
  std::stop_callback<Wake> on_stop_;
};

class StdinSource final : public BlockingSource {
 public:
  asio::awaitable<void> preflight(StageContext&) override {
    if (::fcntl(STDIN_FILENO, F_GETFD) < 0) throw unable_to_read(errno);
    if (::isatty(STDIN_FILENO) == 1) {
      throw Error{Errc::source, "standard input is a terminal",
                  "Pipe something into backup-pipe, or use a source of type \"command\"."};
    }
    co_return;
  }

 protected:
  void produce_blocking(BlockingOutlet& out, StageContext& ctx) override {
    StoppableInput input{ctx.stop()};
    for (bool more = true; more;) {
      Buffer buffer = ctx.pool().acquire();
      while (more && !buffer.full()) {
        const std::size_t count = input.read(buffer.free_space());
        buffer.fill(count);
        more = count > 0;
      }
      if (!buffer.empty()) out.push(std::move(buffer).freeze());
    }
    ctx.note("producer", "unknown: the end of standard input does not say how its writer ended");
  }
};

}  // namespace

void register_source_stdin(Registry& registry) {
  registry.add_source("stdin", [](config::OptionReader& options) {
    return SourceType{.extension = read_extension(options),
                      .argv = {},
                      .sudo_argv = {},
                      .make = [](const BuildContext&) { return std::make_unique<StdinSource>(); }};
  });
}

}  // namespace bp::stages
