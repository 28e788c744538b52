#include "stages/destinations/command_sink.hpp"

#include "stages/support/child_process.hpp"
#include "stages/support/run_beside.hpp"
#include "stages/support/tail_buffer.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <signal.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace bp::stages {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::seconds clean_up_limit{30};
constexpr std::size_t max_clean_up_output = std::size_t{64} << 10;
/// More than the Reaper's grace; what outlives KILL so long is left to it.
constexpr std::chrono::seconds end_patience{20};

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// A child's failures are told as a source's; here they are the destination's.
Error as_destination(const Error& error) {
  if (error.code() != Errc::source) return error;
  return Error{Errc::destination, error.what(), std::string{error.hint()}};
}

asio::awaitable<void> pause(StageContext& ctx, std::chrono::milliseconds time) {
  asio::steady_timer timer{ctx.io(), time};
  co_await timer.async_wait(asio::use_awaitable);
}

/// Until the Reaper has collected it. False: it is still there after our patience.
asio::awaitable<bool> wait_until_gone(pid_t pid, StageContext& ctx) {
  const auto deadline = Clock::now() + end_patience;
  while (::kill(pid, 0) == 0) {
    if (Clock::now() > deadline) co_return false;
    co_await pause(ctx, 5ms);
  }
  co_return true;
}

class CommandSink final : public Sink {
 public:
  CommandSink(const CommandSettings& settings, const BuildContext& context)
      : settings_{settings}, object_{context.object_name} {
    const std::array<std::pair<std::string_view, std::string>, 3> values{{
        {"{run}", context.run_id},
        {"{source}", context.source_id},
        {"{object}", context.object_name},
    }};
    for (auto* argv : {&settings_.argv, &settings_.on_abort}) {
      for (std::string& argument : *argv) {
        for (const auto& [placeholder, value] : values) {
          argument = replace_all(std::move(argument), placeholder, value);
        }
      }
    }
    settings_.environment.emplace_back("BACKUP_PIPE_OBJECT", context.object_name);
    settings_.environment.emplace_back("BACKUP_PIPE_RUN", context.run_id);
    settings_.environment.emplace_back("BACKUP_PIPE_SOURCE", context.source_id);
  }

  /// The one that is being fed.
  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return {.min_chunks = 1, .wanted_chunks = 1};
  }

  asio::awaitable<void> preflight(StageContext&) override {
    for (const auto* argv : {&settings_.argv, &settings_.on_abort}) {
      if (argv->empty() || find_program(argv->front())) continue;
      throw Error{Errc::destination,
                  fmt::format("there is no program '{}' that we may run", argv->front()),
                  "Install it, or give its full path."};
    }
    co_return;
  }

  asio::awaitable<void> prepare(Inlet& in, StageContext& ctx) override {
    std::optional<Error> failure;
    try {
      child_.emplace(ChildProcess::start(ctx, options_for(settings_.argv, true)));
      auto feeding = feed(in, ctx);
      auto draining = drain();
      co_await run_beside(std::move(feeding), std::move(draining));
    } catch (const Error& error) {
      failure = as_destination(error);
    }
    if (failure) throw Error{*failure};
  }

  asio::awaitable<Receipt> commit(StageContext& ctx) override {
    std::optional<Error> failure;
    try {
      if (child_->has_ended()) co_await throw_early_end();
      child_->finish_stdin();
      auto finishing = finish(ctx);
      auto draining = drain();
      co_await run_beside(std::move(finishing), std::move(draining));
    } catch (const Error& error) {
      failure = as_destination(error);
    }
    if (!failure) {
      child_.reset();
      co_return Receipt{
          .location = command_location(settings_, object_), .bytes = bytes_, .etag = {}};
    }
    // The runner does not abort after a failed commit.
    const std::optional<Error> left = co_await clean_up(ctx);
    if (left) throw failure->within(left->what());
    throw Error{*failure};
  }

  asio::awaitable<void> abort(StageContext& ctx) override {
    const std::optional<Error> left = co_await clean_up(ctx);
    if (left) throw Error{*left};
  }

 private:
  [[nodiscard]] ChildOptions options_for(const std::vector<std::string>& argv, bool feed) const {
    return {.argv = argv,
            .environment = settings_.environment,
            .working_directory = settings_.working_directory,
            .feed_stdin = feed,
            .idle_limit = settings_.idle_limit};
  }

  asio::awaitable<void> feed(Inlet& in, StageContext& ctx) {
    while (const std::optional<Chunk> chunk = co_await in.pop()) {
      const bool taken = co_await child_->feed(chunk->bytes());
      if (!taken) co_await throw_early_end();
      bytes_ += chunk->bytes().size();
    }
    co_await until_all_is_read(ctx);
  }

  /// What lies in the pipe when a program ends is lost without a word, so it is watched while the
  /// program lives.
  asio::awaitable<void> until_all_is_read(StageContext& ctx) {
    std::size_t unread = child_->unread_input();
    auto since = Clock::now();
    for (std::chrono::milliseconds wait{1}; unread > 0 && !child_->has_ended();
         wait = std::min(wait * 2, std::chrono::milliseconds{50})) {
      co_await pause(ctx, wait);
      const std::size_t now_unread = child_->unread_input();
      if (now_unread < unread) since = Clock::now();
      unread = now_unread;
      if (settings_.idle_limit && Clock::now() - since > *settings_.idle_limit) {
        throw Error{Errc::timeout, fmt::format("'{}' has stopped reading {} bytes before the end",
                                               child_->name(), unread)};
      }
    }
    if (child_->has_ended()) co_await throw_early_end();
  }

  /// It may have closed its stdin only; then its end is waited for, within the idle limit.
  asio::awaitable<void> throw_early_end() {
    child_->finish_stdin();
    const std::string name = child_->name();
    const ExitStatus status = co_await child_->exited();
    throw Error{Errc::destination, fmt::format("'{}' ended before it had all of the object: {}{}",
                                               name, status.text(), last_words())};
  }

  asio::awaitable<void> finish(StageContext& ctx) {
    const ExitStatus status = co_await child_->exited();
    ctx.note("exit", status.signal == 0 ? std::to_string(status.code) : status.text());
    if (status.signal == 0 && std::ranges::count(settings_.ok_exit, status.code) > 0) co_return;
    throw Error{Errc::destination, fmt::format("'{}' {} {}{}", child_->name(),
                                               status.signal == 0 ? "failed with" : "was",
                                               status.text(), last_words())};
  }

  [[nodiscard]] std::string last_words() const {
    const std::string words = child_->last_words();
    return words.empty() ? words : ": " + words;
  }

  /// What it prints is for nobody, and must not hold it up.
  asio::awaitable<void> drain() {
    std::array<std::byte, 4096> block;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (;;) {
      const std::size_t count = co_await child_->read_some(block);
      if (count == 0) co_return;
    }
  }

  /// Ends the program and runs on_abort, once. Returns what went wrong, because that must not hide
  /// why it was called.
  asio::awaitable<std::optional<Error>> clean_up(StageContext& ctx) {
    if (!child_) co_return std::nullopt;
    const pid_t pid = child_->pid();
    const std::string name = child_->name();
    child_.reset();  // to the Reaper, unless it has been collected
    const bool gone = co_await wait_until_gone(pid, ctx);
    if (!gone) {
      co_return Error{Errc::destination, fmt::format("'{}' does not end", name),
                      "What it has stored so far may become visible."};
    }
    if (settings_.on_abort.empty()) co_return std::nullopt;
    co_return co_await run_on_abort(ctx);
  }

  asio::awaitable<std::optional<Error>> run_on_abort(StageContext& ctx) {
    try {
      ChildOptions options = options_for(settings_.on_abort, false);
      const CommandResult result =
          co_await run_command(ctx, std::move(options), clean_up_limit, max_clean_up_output);
      if (result.status.success()) co_return std::nullopt;
      co_return Error{
          Errc::destination,
          fmt::format("on_abort: '{}' failed with {}: {}", settings_.on_abort.front(),
                      result.status.text(), fmt::join(message_lines(result.errors, 3), "; "))};
    } catch (const Error& error) {
      co_return as_destination(error).within("on_abort");
    }
  }

  CommandSettings settings_;
  std::string object_;
  std::optional<ChildProcess> child_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

std::string command_location(const CommandSettings& settings, const std::string& object) {
  return fmt::format("command://{}/{}", settings.name, object);
}

std::unique_ptr<Sink> command_sink(const CommandSettings& settings, const BuildContext& context) {
  return std::make_unique<CommandSink>(settings, context);
}

}  // namespace bp::stages
