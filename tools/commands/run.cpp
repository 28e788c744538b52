// tools/commands/run.cpp — backup-pipe run: one backup of everything in a job file.
#include "stages/run_job.hpp"

#include "config/units.hpp"
#include "stages/store/history.hpp"
#include "stages/store/journal.hpp"
#include "stages/store/lock.hpp"
#include "stages/store/state_directory.hpp"
#include "tools/commands/command.hpp"
#include "tools/output/report_json.hpp"
#include "tools/output/summary.hpp"
#include "tools/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace bp::tools {

namespace {

struct RunOptions {
  std::filesystem::path file;
  std::vector<std::string> sources;
  bool dry_run = false;
  bool warnings_ok = false;
  bool quiet = false;
  std::string report_file;
  std::optional<std::string> wait;
};

constexpr int already_running = 5;

/// The first SIGINT, SIGTERM or SIGHUP asks the run to stop; the second one ends the process on the spot.
class StopOnSignal {
 public:
  explicit StopOnSignal(asio::io_context& io) : signals_{io, SIGINT, SIGTERM, SIGHUP} { listen(); }

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  [[nodiscard]] int number() const noexcept { return number_; }
  /// Lets the io_context run dry.
  void end() { signals_.cancel(); }

 private:
  void listen() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      if (number_ != 0) std::_Exit(128 + number);
      number_ = number;
      spdlog::warn("stopping: {}", strsignal(number));
      stop_.request_stop();
      listen();
    });
  }

  asio::signal_set signals_;
  std::stop_source stop_;
  int number_ = 0;
};

/// The job's state directory with its lock, journal and history; without one a run goes on with a warning.
struct JobState {
  std::optional<stages::Lock> lock;
  std::unique_ptr<stages::Journal> journal;
  std::unique_ptr<stages::History> history;
  std::vector<std::string> warnings;
};

void check_sources_exist(const stages::LoadedJob& job, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    if (std::ranges::find(job.spec().sources, id, &config::SourceSection::id) ==
        job.spec().sources.end()) {
      throw Error{Errc::config, fmt::format("the job has no source '{}'", id)};
    }
  }
}

/// False when another run holds the lock and we were not to wait for it any longer.
asio::awaitable<bool> take_lock(stages::Lock& lock, std::chrono::seconds patience,
                                const std::string& run_id, std::stop_token stop) {
  const auto io = co_await asio::this_coro::executor;
  const auto until = std::chrono::steady_clock::now() + patience;
  asio::steady_timer timer{io};
  while (!lock.try_take(run_id)) {
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= until) co_return false;
    timer.expires_after(std::chrono::milliseconds{200});
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return true;
}

}  // namespace

}  // namespace bp::tools
