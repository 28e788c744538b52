// bench/commands/sweep.cpp — backup-pipe-bench sweep: one stage with several levels and memories.
#include "bench/child.hpp"
#include "bench/commands/command.hpp"
#include "bench/corpus.hpp"
#include "bench/present.hpp"
#include "bench/table.hpp"
#include "config/units.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <memory>

namespace bp::bench {

namespace {

struct SweepCommand {
  std::string stage = "gzip";
  std::vector<std::string> levels{"1", "6", "9"};
  std::vector<std::string> memories{"128MiB"};
  std::string corpus = "sql";
  std::size_t bytes = std::size_t{256} << 20U;
  std::filesystem::path corpus_dir = corpus_folder();
  bool markdown = false;
};

/// One process per cell: a peak RSS cannot be taken back.
std::vector<std::string> measure(const SweepCommand& options, const std::filesystem::path& input,
                                 const std::string& level, const std::string& memory) {
  const std::filesystem::path json =
      std::filesystem::temp_directory_path() / fmt::format("backup-pipe-sweep-{}.json", ::getpid());
  const ChildRun run = run_child(
      {own_program(), "pipeline", "--quiet", "--json", json.string(), "--source", input.string(),
       "--stages", fmt::format("{}:level={}", options.stage, level), "--memory", memory});
  if (run.status != 0) return {options.stage, level, memory, "failed"};
  const ReadMeasurement measured = read_measurement(read_file(json));
  std::filesystem::remove(json);
  return {options.stage,
          level,
          memory,
          fmt::format("{:.0f}", megabytes_per_second(measured.bytes_in, Seconds{measured.seconds})),
          fmt::format("{:.2f}", static_cast<double>(measured.bytes_in) /
                                    static_cast<double>(measured.bytes_out)),
          fmt::format("{:.2f} s", run.usage.cpu().count()),
          config::format_bytes(run.usage.peak_rss_bytes),
          measured.limited_by};
}

int sweep(const SweepCommand& options) {
  const std::filesystem::path input = corpus(options.corpus, options.bytes, options.corpus_dir);
  Table table{{"stage", "level", "memory", "MB/s", "ratio", "CPU", "RSS", "limited by"}};
  for (const std::string& level : options.levels) {
    for (const std::string& memory : options.memories) {
      table.add(measure(options, input, level, memory));
    }
  }
  fmt::print("{}", options.markdown ? table.markdown() : table.text());
  return 0;
}

}  // namespace

void add_sweep(CLI::App& program, Session& session) {
  CLI::App* command = program.add_subcommand(
      "sweep", "One stage with several levels and memories (which bound its threads)");
  auto options = std::make_shared<SweepCommand>();
  command->add_option("--stage", options->stage, "The filter type")->capture_default_str();
  command->add_option("--levels", options->levels, "Levels")->delimiter(',')->capture_default_str();
  command->add_option("--memory", options->memories, "Memory limits")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--corpus", options->corpus, "sql, usr, random or a file")
      ->capture_default_str();
  add_size(*command, "--size", options->bytes, "Of the corpus");
  command->add_option("--corpus-dir", options->corpus_dir, "Where corpora are kept")
      ->capture_default_str();
  command->add_flag("--markdown", options->markdown, "The table for a Markdown page");
  command->footer(
      "Example:\n  backup-pipe-bench sweep --stage gzip --levels 1,6,9 --memory 32MiB,128MiB");
  command->callback(
      [&session, options] { session.action = [options] { return sweep(*options); }; });
}

}  // namespace bp::bench
