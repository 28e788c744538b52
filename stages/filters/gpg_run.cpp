#include "stages/filters/gpg_run.hpp"

#include "stages/support/child_process.hpp"
#include "stages/support/openpgp_framing.hpp"
#include "stages/support/run_beside.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace bp::stages {

namespace {

/// What a gpg child holds while it encrypts, measured: resident set less shared libraries, rounded
/// up.
constexpr std::size_t gpg_bytes = std::size_t{6} << 20;
constexpr std::chrono::minutes idle_limit{5};

/// gpg's machine-readable words. A run says a handful of lines, far less than a pipe holds, so they
/// are read when gpg has ended.
class StatusPipe {
 public:
  StatusPipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
      throw Error{Errc::transform, fmt::format("unable to make a pipe: {}", system_reason(errno))};
    }
    ours_ = UniqueFd{ends[0]};
    childs_ = UniqueFd{ends[1]};
  }
  [[nodiscard]] int childs_end() const noexcept { return childs_.get(); }
  void started() noexcept { childs_.reset(); }
  [[nodiscard]] std::string read_all() const {
    std::string text;
    std::array<char, 4096> block{};
    for (ssize_t got = 0; (got = ::read(ours_.get(), block.data(), block.size())) > 0;) {
      text.append(block.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  UniqueFd ours_, childs_;
};

/// What is known about one encryption while it runs.
struct Encryption {
  ChildProcess child;
  StatusPipe& status;
  OpenPgpFraming framing;
  bool input_ended = false;
};

asio::awaitable<void> feed(Encryption& encryption, Inlet& in) {
  while (const std::optional<Chunk> chunk = co_await in.pop()) {
    const bool taken = co_await encryption.child.feed(chunk->bytes());
    if (!taken) co_return;  // how gpg ended says why
  }
  encryption.child.finish_stdin();
  encryption.input_ended = true;
}

void judge(const Encryption& encryption, const ExitStatus& exit) {
  const std::string last_words = encryption.child.last_words();
  const std::string said = last_words.empty() ? "" : fmt::format(": {}", last_words);
  if (exit.signal != 0) {
    throw Error{
        Errc::transform, fmt::format("gpg was {}{}", exit.text(), said),
        exit.signal == SIGKILL ? "Was the machine short of memory? See the kernel's log." : ""};
  }
  if (exit.code != 0)
    throw Error{Errc::transform, fmt::format("gpg failed with {}{}", exit.text(), said)};
  if (!encryption.input_ended) {
    throw Error{Errc::transform, fmt::format("gpg ended before it had read everything{}", said)};
  }
  if (encryption.status.read_all().find("[GNUPG:] END_ENCRYPTION") == std::string::npos) {
    throw Error{Errc::transform,
                fmt::format("gpg did not confirm the end of the encryption{}", said)};
  }
  if (!encryption.framing.closed()) {
    throw Error{Errc::transform, "gpg's output ends in the middle of an OpenPGP packet"};
  }
}

asio::awaitable<void> drain(Encryption& encryption, Outlet& out, StageContext& ctx) {
  for (bool more = true; more;) {
    Buffer buffer = ctx.pool().acquire();
    more = co_await encryption.child.fill(buffer);
    if (buffer.empty()) break;
    Chunk chunk = std::move(buffer).freeze();
    encryption.framing.feed(chunk.bytes());
    co_await out.push(std::move(chunk));
  }
  const ExitStatus exit = co_await encryption.child.exited();
  ctx.note("exit", std::to_string(exit.code));
  judge(encryption, exit);
}

}  // namespace

std::vector<std::string> quiet_gpg(const std::string& binary, const std::string& home) {
  return {binary,
          "--homedir",
          home,
          "--batch",
          "--no-tty",
          "--quiet",
          "--no-autostart",
          "--no-random-seed-file",
          "--no-auto-check-trustdb"};
}

MemoryDemand gpg_memory_demand() noexcept {
  return {.min_chunks = 3, .wanted_chunks = 3, .library_bytes = gpg_bytes};
}

asio::awaitable<void> run_gpg(Inlet& in, Outlet& out, StageContext& ctx, GpgCommand command) {
  StatusPipe status;
  ChildOptions options{.argv = std::move(command.argv),
                       .environment = {{"LC_ALL", "C"}, {"GNUPGHOME", command.home}},
                       .feed_stdin = true,
                       .grant = {{status.childs_end(), gpg_status_fd}},
                       .idle_limit = idle_limit};
  if (command.passphrase) {
    options.grant.push_back({command.passphrase.get(), gpg_passphrase_fd});
  }
  Encryption encryption{
      .child = ChildProcess::start(ctx, std::move(options)), .status = status, .framing = {}};
  command.passphrase.reset();
  status.started();
  auto draining = drain(encryption, out, ctx);
  auto feeding = feed(encryption, in);
  co_await run_beside(std::move(draining), std::move(feeding));
}

}  // namespace bp::stages
