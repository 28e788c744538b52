// stages/sweep.cpp — what earlier runs left behind, by their journal.
#include "stages/filters/gpg_home.hpp"
#include "stages/run_job.hpp"
#include "stages/store/journal.hpp"

#include <fmt/format.h>

namespace bp::stages {

namespace {

asio::awaitable<void> sweep_entry(const LoadedJob& job, const JournalEntry& entry) {
  if (entry.kind == gpg_home_kind) {
    sweep_gpg_home(entry);
    co_return;
  }
  if (job.spec().find_destination(entry.owner) == nullptr) {
    throw Error{Errc::config, fmt::format("the job has no destination '{}' any more", entry.owner),
                fmt::format("Remove {} '{}' by hand.", entry.kind, entry.locator)};
  }
  co_await job.store(entry.owner).sweep(entry);
}

asio::awaitable<std::optional<Error>> try_sweep(const LoadedJob& job, const JournalEntry& entry) {
  try {
    co_await sweep_entry(job, entry);
  } catch (const Error& error) {
    co_return error;
  }
  co_return std::nullopt;
}

}  // namespace

asio::awaitable<std::vector<std::string>> sweep_leftovers(const LoadedJob& job, Journal& journal,
                                                          std::string_view run_id) {
  std::vector<std::string> problems;
  for (const JournalEntry& entry : journal.open_entries()) {
    if (entry.run_id == run_id) continue;
    const std::optional<Error> failure = co_await try_sweep(job, entry);
    if (!failure) {
      journal.end(entry.id);
      continue;
    }
    problems.push_back(fmt::format("{} '{}' of run {} may still exist: {}", entry.kind,
                                   entry.locator, entry.run_id, failure->what()));
  }
  co_return problems;
}

}  // namespace bp::stages
