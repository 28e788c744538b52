#include "stages/sources/process.hpp"

#include "stages/support/tail_buffer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace bp::stages {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_lines = 1000;
constexpr std::size_t last_words = 3;

bool is_among(const std::vector<int>& codes, const ExitStatus& status) {
  return status.signal == 0 && std::ranges::find(codes, status.code) != codes.end();
}

Error failure(const ExitStatus& status, const std::string& name, std::vector<std::string> lines,
              std::string hint) {
  if (status.signal == SIGKILL) {
    hint = "Nobody admits to it: look for the out-of-memory killer in the kernel's log.";
  }
  if (lines.size() > last_words) lines.erase(lines.begin(), lines.end() - last_words);
  const std::string verb = status.signal == 0 ? "failed with" : "was";
  return {Errc::source,
          fmt::format("'{}' {} {}{}{}", name, verb, status.text(), lines.empty() ? "" : ": ",
                      fmt::join(lines, "; ")),
          std::move(hint)};
}

/// sudo's own failures have exit status 1, which from tar would be a warning.
bool sudo_complained(const std::vector<std::string>& lines) {
  return std::ranges::any_of(lines, [](const auto& line) { return line.starts_with("sudo: "); });
}

}  // namespace

ProcessOptions read_process_options(config::OptionReader& options,
                                    std::vector<int> default_warn_exit) {
  ProcessOptions result;
  result.ok_exit = options.integers("ok_exit", {0}, 0, 255);
  result.warn_exit = options.integers("warn_exit", std::move(default_warn_exit), 0, 255);
  const std::chrono::seconds idle = options.duration("idle_timeout", 30min);
  if (idle > 0s) result.child.idle_limit = idle;
  result.child.time_limit = options.optional_duration("time_limit");
  result.size = read_size_rules(options);
  if (options.has("nice")) {
    const long by = options.integer("nice", {.fallback = std::nullopt, .min = -20, .max = 19});
    result.child.nice = static_cast<int>(by);
  } else {
    options.accept("nice");
  }
  if (const auto priority = options.optional_text("ionice")) {
    result.child.io_priority = parse_io_priority(*priority);
    if (!result.child.io_priority) {
      options.fail("ionice", fmt::format("'{}' is no I/O priority", *priority),
                   "Use \"idle\", \"best-effort\" or \"best-effort:0\" to \"best-effort:7\".");
    }
  }
  return result;
}

ProcessOptions for_run(ProcessOptions options, const BuildContext& context) {
  options.size.expected_bytes = context.expected_bytes;
  return options;
}

void require_program(const std::string& name) {
  if (find_program(name)) return;
  throw Error{Errc::source, fmt::format("there is no program '{}' that we may run", name),
              "Install it, or give its full path."};
}

ProcessSource::ProcessSource(ProcessOptions options) : options_{std::move(options)} {}

asio::awaitable<void> ProcessSource::preflight(StageContext&) {
  require_program(options_.child.argv.front());
  co_return;
}

void ProcessSource::saw(std::span<const std::byte>) {}
void ProcessSource::check_end(StageContext&) const {}

std::string ProcessSource::advice(const std::vector<std::string>&) const {
  return {};
}

std::vector<std::string> ProcessSource::messages(std::string_view stderr_tail) const {
  return message_lines(stderr_tail, max_lines);
}

asio::awaitable<void> ProcessSource::produce(Outlet& out, StageContext& ctx) {
  ChildOptions to_start = child_options();
  ChildProcess child = ChildProcess::start(ctx, std::move(to_start));
  for (bool more = true; more;) {
    Buffer buffer = ctx.pool().acquire();
    more = co_await child.fill(buffer);
    if (buffer.empty()) break;
    Chunk chunk = std::move(buffer).freeze();
    bytes_ += chunk.bytes().size();
    saw(chunk.bytes());
    co_await out.push(std::move(chunk));
  }
  // End of file only says that stdout was closed. A dump that died closed it, too.
  const ExitStatus status = co_await child.exited();
  judge(status, child, ctx);
  check_end(ctx);
  check_size(options_.size, bytes_, ctx);
}

void ProcessSource::judge(const ExitStatus& status, const ChildProcess& child,
                          StageContext& ctx) const {
  ctx.note("exit", status.signal == 0 ? std::to_string(status.code) : status.text());
  if (is_among(options_.ok_exit, status)) return;
  std::vector<std::string> lines = messages(child.stderr_tail());
  // A program that complained and gave nothing has not backed up anything.
  const bool is_warning = is_among(options_.warn_exit, status) && bytes_ > 0 &&
                          !(options_.child.sudo && sudo_complained(lines));
  if (!is_warning) {
    std::string hint = advice(lines);
    throw failure(status, child.name(), std::move(lines), std::move(hint));
  }
  ctx.warn(fmt::format("'{}' ended with {}", child.name(), status.text()), std::move(lines));
}

}  // namespace bp::stages
