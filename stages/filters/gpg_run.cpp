#include "stages/filters/gpg_run.hpp"

#include "stages/support/run_beside.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace bp::stages {

namespace {

/// What a gpg child holds while it encrypts, measured: 5 MiB resident, libraries included.
constexpr std::size_t gpg_bytes = std::size_t{6} << 20;

/// One encryption while it runs.
struct Encryption {
  ChildProcess child;
  OpenPgpFraming framing;
  bool fed_all = false;
  std::uint64_t bytes_fed = 0;
};

asio::awaitable<void> feed(Encryption& encryption, Inlet& in) {
  while (const std::optional<Chunk> chunk = co_await in.pop()) {
    const bool taken = co_await encryption.child.feed(chunk->bytes());
    if (!taken) co_return;  // how gpg ended says why
    encryption.bytes_fed += chunk->bytes().size();
  }
  encryption.child.finish_stdin();
  encryption.fed_all = true;
}

asio::awaitable<void> drain(Encryption& encryption, const GpgSideChannels& channels, Outlet& out,
                            StageContext& ctx) {
  for (bool more = true; more;) {
    Buffer buffer = ctx.pool().acquire();
    more = co_await encryption.child.fill(buffer);
    if (buffer.empty()) break;
    Chunk chunk = std::move(buffer).freeze();
    encryption.framing.feed(chunk.bytes());
    co_await out.push(std::move(chunk));
  }
  // End of file only says that stdout was closed. A gpg that died closed it, too.
  const ExitStatus exit = co_await encryption.child.exited();
  ctx.note("exit", exit.signal == 0 ? std::to_string(exit.code) : exit.text());
  require_success({.exit = exit,
                   .stderr_tail = encryption.child.stderr_tail(),
                   .status = channels.status(),
                   .fed_all = encryption.fed_all,
                   .bytes_fed = encryption.bytes_fed},
                  encryption.framing);
}

}  // namespace

MemoryDemand gpg_memory_demand() noexcept {
  return {.min_chunks = 2, .wanted_chunks = 2, .library_bytes = gpg_bytes};
}

asio::awaitable<void> run_gpg(Inlet& in, Outlet& out, StageContext& ctx, GpgSideChannels channels,
                              std::vector<std::string> argv, std::chrono::milliseconds idle_limit) {
  ChildOptions child = channels.child(std::move(argv));
  child.feed_stdin = true;
  child.idle_limit = idle_limit;
  Encryption encryption{.child = ChildProcess::start(ctx, std::move(child)), .framing = {}};
  channels.started();
  auto draining = drain(encryption, channels, out, ctx);
  auto feeding = feed(encryption, in);
  co_await run_beside(std::move(draining), std::move(feeding));
}

asio::awaitable<void> rehearse_gpg(StageContext& ctx, GpgSideChannels channels,
                                   std::vector<std::string> argv) {
  constexpr std::chrono::seconds limit{30};
  constexpr std::size_t max_output = std::size_t{64} << 10;  // a header for each recipient
  ChildOptions child = channels.child(std::move(argv));
  const CommandResult result = co_await run_command(ctx, std::move(child), limit, max_output);
  channels.started();
  try {
    OpenPgpFraming framing;
    framing.feed(std::as_bytes(std::span{result.output}));
    require_success({.exit = result.status,
                     .stderr_tail = result.errors,
                     .status = channels.status(),
                     .fed_all = true},
                    framing);
  } catch (const Error& error) {
    throw error.within("encrypt nothing as a test");
  }
}

}  // namespace bp::stages
