#include "tools/job_state.hpp"

#include "stages/store/state_directory.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <utility>

namespace bp::tools {

namespace {

namespace asio = boost::asio;

asio::awaitable<void> wait_for_lock(stages::JobLock& lock, const std::string& run_id,
                                    std::chrono::seconds patience, std::stop_token stop) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds pause{200};
  const Clock::time_point until = Clock::now() + patience;
  asio::steady_timer timer{co_await asio::this_coro::executor};
  while (!lock.try_lock(run_id)) {
    if (stop.stop_requested() || Clock::now() >= until) {
      throw AlreadyRunning{lock.holder().message()};
    }
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace

asio::awaitable<JobState> take_job_state(const stages::LoadedJob& job, std::string run_id,
                                         std::chrono::seconds patience, std::stop_token stop) {
  JobState state;
  const stages::StateFolder folder =
      stages::job_state_folder(job.spec().job.name, job.spec().file, stages::process_environment());
  if (!folder.path) {
    state.warnings.push_back(fmt::format(
        "no state directory, so no lock, no journal and no size history: {}", folder.reason));
    co_return state;
  }
  state.lock = std::make_unique<stages::JobLock>(*folder.path / "lock");
  co_await wait_for_lock(*state.lock, run_id, patience, std::move(stop));
  state.journal = std::make_unique<stages::Journal>(*folder.path / "journal", std::move(run_id));
  for (const std::string& line : state.journal->damaged_lines()) {
    state.warnings.push_back(fmt::format("the journal had a damaged line: {}", line));
  }
  state.history = std::make_unique<stages::History>(*folder.path / "history.jsonl");
  co_return state;
}

}  // namespace bp::tools
