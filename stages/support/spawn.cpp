#include "stages/support/spawn.hpp"

#include "engine/error.hpp"
#include "stages/support/unique_fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace bp::stages {

namespace {

enum class Step : int { descriptors, directory, nice, io_priority, program };

/// What a child that could not become its program tells us through the report pipe.
struct Report {
  Step step;
  int reason;
};

/// Everything the child needs, as plain numbers and pointers: the other threads' locks may be held
/// for ever in its copy of our memory, so between fork and exec nothing may allocate, lock or log.
struct Plan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* directory;  ///< null: ours
  const GrantedFd* descriptors;
  int* moved;  ///< room for one number per descriptor
  std::size_t descriptor_count;
  int first_free;  ///< above every number that the child will see
  const int* nice;
  const int* io_priority;
  pid_t parent;
  int report;
};

[[noreturn]] void give_up(int report, Step step) {
  const Report told{step, errno};
  [[maybe_unused]] const auto written = ::write(report, &told, sizeof told);
  ::_exit(127);
}

void default_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  // Some numbers cannot be set (KILL, STOP, the C library's own): they are at their defaults
  // anyway.
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Two steps, because the number that one grant wants may be where another one still is.
bool place_descriptors(const Plan& plan) {
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    plan.moved[i] = ::fcntl(plan.descriptors[i].ours, F_DUPFD_CLOEXEC, plan.first_free);
    if (plan.moved[i] < 0) return false;
  }
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    if (::dup2(plan.moved[i], plan.descriptors[i].childs) < 0) return false;
  }
  return true;
}

bool renice(int by) {
  errno = 0;
  return ::nice(by) != -1 || errno == 0;
}

[[noreturn]] void become(const Plan& plan) {
  default_signals();
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // If we died before that call, nobody will be told any more.
  if (::getppid() != plan.parent) ::_exit(127);

  const int report = ::fcntl(plan.report, F_DUPFD_CLOEXEC, plan.first_free);
  if (report < 0) give_up(plan.report, Step::descriptors);
  if (!place_descriptors(plan)) give_up(report, Step::descriptors);
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0) give_up(report, Step::directory);
  if (plan.nice != nullptr && !renice(*plan.nice)) give_up(report, Step::nice);
  if (plan.io_priority != nullptr &&
      ::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, *plan.io_priority) != 0) {
    give_up(report, Step::io_priority);
  }
  ::execve(plan.program, plan.argv, plan.environment);
  give_up(report, Step::program);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

int above_all(const std::vector<GrantedFd>& descriptors) {
  int highest = STDERR_FILENO;
  for (const GrantedFd& descriptor : descriptors) highest = std::max(highest, descriptor.childs);
  return highest + 1;
}

Error unable_to_start(const SpawnOptions& options, std::string_view reason) {
  return {Errc::source, fmt::format("unable to start '{}': {}", options.argv.front(), reason)};
}

std::string reason_of(const Report& report, const SpawnOptions& options) {
  const std::string reason = system_reason(report.reason);
  switch (report.step) {
    case Step::descriptors:
      return fmt::format("passing its descriptors: {}", reason);
    case Step::directory:
      return fmt::format("folder '{}': {}", options.working_directory, reason);
    case Step::nice:
      return fmt::format("setting its niceness: {}", reason);
    case Step::io_priority:
      return fmt::format("setting its I/O priority: {}", reason);
    case Step::program:
      return fmt::format("'{}': {}", options.program, reason);
  }
  return reason;
}

pid_t fork_into(const Plan& plan) {
  // No handler of ours may run in the child: asio's would write into a pipe that it shares with us.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) become(plan);
  const int reason = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = reason;
  return pid;
}

/// Empty when the pipe was closed by a successful exec.
std::optional<Report> read_report(int pipe) {
  Report report{};
  for (;;) {
    const auto got = ::read(pipe, &report, sizeof report);
    if (got < 0 && errno == EINTR) continue;
    if (got == static_cast<ssize_t>(sizeof report)) return report;
    return std::nullopt;
  }
}

}  // namespace

pid_t spawn(const SpawnOptions& options) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw unable_to_start(options, system_reason(errno));
  const UniqueFd reading{ends[0]};
  UniqueFd writing{ends[1]};

  const std::vector<char*> argv = pointers(options.argv);
  const std::vector<char*> environment = pointers(options.environment);
  std::vector<int> moved(options.descriptors.size());
  const Plan plan{
      .program = options.program.c_str(),
      .argv = argv.data(),
      .environment = environment.data(),
      .directory = options.working_directory.empty() ? nullptr : options.working_directory.c_str(),
      .descriptors = options.descriptors.data(),
      .moved = moved.data(),
      .descriptor_count = options.descriptors.size(),
      .first_free = above_all(options.descriptors),
      .nice = options.nice ? &*options.nice : nullptr,
      .io_priority = options.io_priority ? &*options.io_priority : nullptr,
      .parent = ::getpid(),
      .report = writing.get()};
  const pid_t pid = fork_into(plan);
  if (pid < 0) throw unable_to_start(options, system_reason(errno));

  writing.reset();
  const std::optional<Report> failure = read_report(reading.get());
  if (!failure) return pid;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  throw unable_to_start(options, reason_of(*failure, options));
}

std::optional<int> parse_io_priority(std::string_view text) {
  constexpr std::string_view best_effort = "best-effort";
  const auto number = [](int kind, int level) { return (kind << IOPRIO_CLASS_SHIFT) | level; };
  if (text == "idle") return number(IOPRIO_CLASS_IDLE, 0);
  if (!text.starts_with(best_effort)) return std::nullopt;
  text.remove_prefix(best_effort.size());
  if (text.empty()) return number(IOPRIO_CLASS_BE, IOPRIO_NORM);
  if (text.size() != 2 || text[0] != ':' || text[1] < '0' || text[1] > '7') return std::nullopt;
  return number(IOPRIO_CLASS_BE, text[1] - '0');
}

}  // namespace bp::stages
