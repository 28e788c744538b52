// bench/commands/compare.cpp — backup-pipe-bench compare: the same work by us and by a shell pipe,
// in turns.
#include "bench/child.hpp"
#include "bench/commands/command.hpp"
#include "bench/corpus.hpp"
#include "bench/present.hpp"
#include "bench/table.hpp"
#include "bench/works.hpp"
#include "config/units.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace bp::bench {

namespace {

struct CompareCommand {
  std::vector<std::string> works;
  std::vector<std::string> corpora{"sql"};
  std::size_t bytes = std::size_t{1} << 30U;
  int pairs = 3;
  std::size_t memory = std::size_t{128} << 20U;
  std::filesystem::path folder = "/usr/share";
  std::filesystem::path corpus_dir = corpus_folder();
  bool markdown = false;
};

/// A folder that goes at the end: passphrase, GnuPG home, output.
class Scratch {
 public:
  Scratch() {
    std::string path =
        (std::filesystem::temp_directory_path() / "backup-pipe-bench-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
      throw Error{Errc::destination,
                  fmt::format("unable to make a folder: {}", system_reason(errno))};
    }
    path_ = path;
    write_file(path_ / "passphrase", "a passphrase for measuring\n");
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// All runs of one side.
struct Side {
  std::vector<double> wall, cpu;
  std::uint64_t peak_rss = 0;

  void add(const ChildRun& run) {
    wall.push_back(run.wall.count());
    cpu.push_back(run.usage.cpu().count());
    peak_rss = std::max(peak_rss, run.usage.peak_rss_bytes);
  }
};

ChildRun run_well(const std::vector<std::string>& argv) {
  ChildRun run = run_child(argv);
  if (run.status != 0) {
    throw Error{Errc::internal, fmt::format("'{}' ended with status {}", argv.back(), run.status)};
  }
  return run;
}

class Comparison {
 public:
  Comparison(const Work& work, const CompareCommand& options, const std::filesystem::path& scratch)
      : work_{work}, options_{options}, json_{scratch / "measurement.json"} {}

  /// A row of the table; `what` is the corpus or the folder.
  std::vector<std::string> row(const std::string& what) {
    for (int pair = 0; pair < options_.pairs; ++pair) {
      run_ours();
      run_theirs();
    }
    const ReadMeasurement measured = read_measurement(read_file(json_));
    const std::uint64_t theirs_bytes = size_of_theirs();
    const double our_time = median(ours_.wall), their_time = median(theirs_.wall);
    const auto speed = [&](double time) {
      return fmt::format("{:.0f}", megabytes_per_second(measured.bytes_in, Seconds{time}));
    };
    const auto cpu = [](const Side& side) { return fmt::format("{:.1f} s", median(side.cpu)); };
    return {work_.name,
            what,
            work_.theirs_name,
            speed(our_time),
            speed(their_time),
            fmt::format("{:.2f}", their_time / our_time),
            cpu(ours_),
            cpu(theirs_),
            config::format_bytes(ours_.peak_rss),
            config::format_bytes(theirs_.peak_rss),
            theirs_bytes == 0 ? "-"
                              : fmt::format("{:.4f}", static_cast<double>(measured.bytes_out) /
                                                          static_cast<double>(theirs_bytes))};
  }

 private:
  void run_ours() {
    std::vector<std::string> argv{own_program(),
                                  "pipeline",
                                  "--quiet",
                                  "--json",
                                  json_.string(),
                                  "--memory",
                                  std::to_string(options_.memory),
                                  "--sink",
                                  work_.output ? "file:" + work_.output->string() : "null"};
    argv.insert(argv.end(), work_.ours.begin(), work_.ours.end());
    ours_.add(run_well(argv));
  }
  void run_theirs() {
    const std::string to = work_.output ? fmt::format("'{}'", work_.output->string()) : "/dev/null";
    theirs_.add(run_well(shell(fmt::format("{} > {}", work_.theirs, to))));
  }
  /// Of what goes to /dev/null it takes another run, which is not timed.
  [[nodiscard]] std::uint64_t size_of_theirs() const {
    if (work_.output) return std::filesystem::file_size(*work_.output);
    const std::filesystem::path count = json_.string() + ".count";
    (void)run_well(shell(fmt::format("{} | wc -c > '{}'", work_.theirs, count.string())));
    return std::stoull(read_file(count));
  }

  const Work& work_;
  const CompareCommand& options_;
  const std::filesystem::path json_;
  Side ours_, theirs_;
};

/// Why a work cannot be done here; empty when it can.
std::optional<std::string> obstacle(const Work& work, const stages::Registry& registry) {
  if (!work.filter.empty() && registry.filter(work.filter) == nullptr) {
    return fmt::format("this build has no filter '{}'", work.filter);
  }
  for (const std::string& tool : work.tools) {
    if (!is_installed(tool)) return fmt::format("{} is not installed", tool);
  }
  return std::nullopt;
}

void check_names(const std::vector<std::string>& wanted) {
  std::set<std::string> known;
  for (const Work& work : works({})) known.insert(work.name);
  for (const std::string& name : wanted) {
    if (known.contains(name)) continue;
    throw Error{Errc::config, fmt::format("there is no work '{}'", name),
                "See --help for the works there are."};
  }
}

int compare(const Session& session, const CompareCommand& options) {
  check_names(options.works);
  const Scratch scratch;
  Table table{{"work", "input", "beside", "MB/s", "their MB/s", "times as fast", "CPU", "their CPU",
               "RSS", "their RSS", "size / theirs"}};
  bool folder_done = false;
  for (const std::string& name : options.corpora) {
    const std::filesystem::path input = corpus(name, options.bytes, options.corpus_dir);
    const std::string label = input.filename().string();
    for (const Work& work : works({input, options.folder, scratch.path()})) {
      const bool wanted = options.works.empty() || std::ranges::count(options.works, work.name) > 0;
      if (!wanted || (work.on_folder && folder_done)) continue;
      const std::string what = work.on_folder ? options.folder.string() : label;
      if (const auto why = obstacle(work, session.registry)) {
        fmt::print(stderr, "{} ({}): left out, {}\n", work.name, work.theirs_name, *why);
        continue;
      }
      fmt::print(stderr, "{} on {} beside {}: {} pairs\n", work.name, what, work.theirs_name,
                 options.pairs);
      std::vector<std::string> row = Comparison{work, options, scratch.path()}.row(what);
      // At once: whoever stops a long comparison keeps what was measured until then.
      fmt::print(stderr, "  {} MB/s, theirs {}: {} times as fast\n", row[3], row[4], row[5]);
      table.add(std::move(row));
    }
    folder_done = true;
  }
  fmt::print("{}", options.markdown ? table.markdown() : table.text());
  return 0;
}

}  // namespace

void add_compare(CLI::App& program, Session& session) {
  CLI::App* command = program.add_subcommand(
      "compare", "The same work by backup-pipe and by a shell pipe, in turns; medians");
  auto options = std::make_shared<CompareCommand>();
  command->add_option("--work", options->works,
                      "gzip, gzip-fast, zstd, gpg, folder-gzip-gpg-file, engine; repeatable [all]");
  command->add_option("--corpus", options->corpora, "sql, usr, random or a file; repeatable")
      ->capture_default_str();
  add_size(*command, "--size", options->bytes, "Of a corpus");
  command->add_option("--pairs", options->pairs, "Runs of either side")
      ->check(CLI::Range(1, 99))
      ->capture_default_str();
  add_size(*command, "--memory", options->memory, "What our plan may use");
  command->add_option("--folder", options->folder, "For works that begin with a folder")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  command->add_option("--corpus-dir", options->corpus_dir, "Where corpora are kept")
      ->capture_default_str();
  command->add_flag("--markdown", options->markdown, "The table for a Markdown page");
  command->footer(
      "RSS is of the largest single process on either side; a shell pipe has several.\n\n"
      "Example:\n"
      "  backup-pipe-bench compare --work gzip --corpus sql --corpus usr --corpus random --pairs "
      "5");
  command->callback([&session, options] {
    session.action = [&session, options] { return compare(session, *options); };
  });
}

}  // namespace bp::bench
