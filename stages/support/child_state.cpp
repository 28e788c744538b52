#include "stages/support/child_state.hpp"

#include "engine/reaper.hpp"
#include "stages/support/unique_fd.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace bp::stages {

namespace {

using Clock = std::chrono::steady_clock;
using boost::system::error_code;

/// Sixteen times the default: fewer switches between the child and us.
constexpr int pipe_bytes = 1 << 20;

struct Pipe {
  UniqueFd reading, writing;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error{Errc::source, fmt::format("unable to make a pipe: {}", system_reason(errno))};
  }
  return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

Pipe make_payload_pipe() {
  Pipe pipe = make_pipe();
  // Refused when this user's pipes hold too much already: the default size does, only slower.
  [[maybe_unused]] const int size = ::fcntl(pipe.writing.get(), F_SETPIPE_SZ, pipe_bytes);
  return pipe;
}

UniqueFd open_null() {
  UniqueFd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  if (!null) {
    throw Error{Errc::source, fmt::format("unable to open '/dev/null': {}", system_reason(errno))};
  }
  return null;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// What messages call it: the program that does the work, not the sudo in front of it.
std::string name_of(const ChildOptions& options) {
  if (options.sudo) {
    for (std::size_t i = 1; i < options.argv.size(); ++i) {
      if (!options.argv[i].starts_with('-')) return base_name(options.argv[i]);
    }
  }
  return base_name(options.argv.front());
}

}  // namespace

ChildProcess::State::State(StageContext& context, const ChildOptions& options)
    : ctx{&context},
      name{name_of(options)},
      sudo{options.sudo},
      limits{name, options.idle_limit, options.time_limit, ChildLimits::Clock::now()},
      out{ctx->io()},
      in{ctx->io()},
      err{ctx->io()},
      pidfd{ctx->io()},
      check_timer{ctx->io()},
      end_bell{ctx->io(), Clock::time_point::max()},
      stderr_bell{ctx->io()} {}

void ChildProcess::State::launch(const ChildOptions& options) {
  const std::optional<std::string> program = find_program(options.argv.front());
  if (!program) {
    const bool is_path = options.argv.front().find('/') != std::string::npos;
    throw Error{Errc::source,
                fmt::format("unable to start '{}': {}", options.argv.front(),
                            is_path ? "no such program" : "not found in PATH"),
                "Install it, or give its full path."};
  }
  Pipe output = make_payload_pipe();
  Pipe errors = make_pipe();
  Pipe input;
  if (options.feed_stdin) {
    input = make_payload_pipe();
  } else {
    input.reading = open_null();
  }
  std::vector<GrantedFd> descriptors{{input.reading.get(), STDIN_FILENO},
                                     {output.writing.get(), STDOUT_FILENO},
                                     {errors.writing.get(), STDERR_FILENO}};
  descriptors.insert(descriptors.end(), options.grant.begin(), options.grant.end());
  out.assign(std::move(output.reading));
  err.assign(errors.reading.release());
  if (options.feed_stdin) in.assign(std::move(input.writing));
  limits.fed = options.feed_stdin;

  pid = spawn({.program = *program,
               .argv = options.argv,
               .environment = child_environment(options.environment),
               .working_directory = options.working_directory,
               .descriptors = std::move(descriptors),
               .nice = options.nice,
               .io_priority = options.io_priority});
  watch_end();
  check_limits();
  asio::co_spawn(ctx->io(), drain_stderr(shared_from_this()), asio::detached);
}

void ChildProcess::State::watch_end() {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    throw Error{Errc::source, fmt::format("unable to watch '{}': {}", name, system_reason(errno))};
  }
  pidfd.assign(fd);
  pidfd.async_wait(asio::posix::stream_descriptor::wait_read,
                   [self = shared_from_this()](const error_code& stopped) {
                     if (stopped || self->gone) return;
                     self->limits.ended = Clock::now();
                     self->end_bell.cancel();
                     // Who is left to read what we feed is not the child that was asked to.
                     self->in.cancel();
                     self->check_limits();
                   });
}

void ChildProcess::State::check_limits() {
  const auto next = limits.next_check(Clock::now());
  if (!next) return;
  check_timer.expires_at(*next);
  check_timer.async_wait([self = shared_from_this()](const error_code& stopped) {
    if (stopped || self->gone) return;
    std::optional<Error> late = self->limits.overdue(Clock::now());
    if (late) return self->fail(*std::move(late));
    self->check_limits();
  });
}

void ChildProcess::State::fail(Error why) {
  failure = std::move(why);
  out.cancel();
  in.cancel();
  end_bell.cancel();
}

void ChildProcess::State::throw_interruption() const {
  if (failure) throw Error{*failure};
  throw boost::system::system_error{asio::error::operation_aborted};
}

void ChildProcess::State::note_read(std::size_t count) {
  if (!limits.ended) return;
  read_since_end += count;
  if (read_since_end > static_cast<std::size_t>(pipe_bytes)) throw limits.output_held();
}

ExitStatus ChildProcess::State::collect() {
  const std::optional<ChildEnd> end = collect_child(pid);
  if (!end) throw Error{Errc::internal, fmt::format("'{}' has ended and still runs", name)};
  collected = true;
  ctx->add_cpu(end->cpu);
  let_go();
  const int status = end->wait_status;
  if (WIFSIGNALED(status)) return {.code = 0, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

void ChildProcess::State::let_go() noexcept {
  gone = true;
  error_code ignored;  // nothing is buffered on our side that closing could lose
  out.close();
  for (auto* descriptor : {&err, &pidfd}) descriptor->close(ignored);
  for (auto* timer : {&check_timer, &end_bell, &stderr_bell}) timer->cancel();
  if (pid == 0 || collected) {
    in.close();
    return;
  }
  collected = true;
  // To a child that is ended half-way, an end of its input before the signal would say that it had
  // all of it, and it might publish that: the pipe stays open for as long as the child lives.
  auto input = std::make_shared<UniqueFd>(in.release());
  ctx->reaper().adopt(
      {.pid = pid, .name = name, .may_kill = !sudo, .gone = [context = ctx, input](auto cpu) {
         context->add_cpu(cpu);
       }});
}

}  // namespace bp::stages
