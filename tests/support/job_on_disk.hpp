// tests/support/job_on_disk.hpp — a whole job with every registered stage type, run in a folder of
// its own.
#pragma once

#include "stages/run_job.hpp"
#include "stages/store/history.hpp"
#include "stages/store/journal.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/temporary_folder.hpp"

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace bp::test {

/// Paths in the job text may be relative: they are below folder().
class JobOnDisk {
 public:
  JobOnDisk() {
    std::signal(SIGPIPE, SIG_IGN);
    stages::register_all(registry_);
    for (const char* name : {"one", "two"}) std::filesystem::create_directory(folder_ / name);
  }

  void write(const std::string& text) {
    write_text(folder_ / "job.toml", text);
    std::filesystem::permissions(folder_ / "job.toml", std::filesystem::perms{0600});
  }
  [[nodiscard]] stages::LoadedJob load() const {
    return stages::load_job(folder_ / "job.toml", registry_);
  }
  /// One run, as `backup-pipe run` does it, with a journal and a history.
  RunReport run(std::vector<std::string> only = {}) {
    const stages::LoadedJob job = load();
    stages::RunIdentity identity =
        stages::new_identity(job.spec().job, std::chrono::system_clock::now());
    stages::Journal journal{folder_ / "journal", identity.run_id};
    stages::History history{folder_ / "history"};
    stages::RunJobOptions options;
    options.only = std::move(only);
    options.version = "test";
    options.journal = &journal;
    options.history = &history;
    asio::io_context io;
    return run_on(io, stages::run_job(job, std::move(identity), std::move(options)));
  }

  [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
  /// The objects below one of its folders, without manifests, by name.
  [[nodiscard]] std::vector<std::string> objects(std::string_view place) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder_ / place}) {
      const std::string name = entry.path().lexically_relative(folder_ / place).string();
      if (entry.is_regular_file() && !name.ends_with(".manifest.json")) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
  }
  [[nodiscard]] std::string read(std::string_view place, const std::string& object) const {
    return read_text((folder_ / place) / object);
  }

 private:
  TemporaryFolder folder_;
  stages::Registry registry_;
};

}  // namespace bp::test
