// bench/commands/pipeline.cpp — backup-pipe-bench pipeline: one graph, run once and measured.
#include "bench/pipeline.hpp"

#include "bench/commands/command.hpp"
#include "bench/present.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <memory>

namespace bp::bench {

namespace {

struct PipelineCommand {
  PipelineOptions pipeline;
  std::filesystem::path json, svg;
  bool quiet = false;
  bool no_fsync = false;
};

int run(const Session& session, PipelineCommand command) {
  command.pipeline.fsync = !command.no_fsync;
  const Measurement measured = run_pipeline(command.pipeline, session.registry);
  if (!command.quiet) fmt::print("{}", measurement_text(measured));
  if (!command.json.empty()) write_file(command.json, measurement_json(measured));
  if (!command.svg.empty()) {
    const std::string stages =
        command.pipeline.stages.empty() ? "" : " → " + command.pipeline.stages;
    write_file(command.svg,
               measurement_svg(measured, fmt::format("{}{} → {}", command.pipeline.source, stages,
                                                     command.pipeline.sink)));
  }
  return 0;
}

}  // namespace

void add_pipeline(CLI::App& program, Session& session) {
  CLI::App* command = program.add_subcommand("pipeline", "Run one chain of stages and measure it");
  auto options = std::make_shared<PipelineCommand>();
  PipelineOptions& pipeline = options->pipeline;
  command
      ->add_option(
          "--source", pipeline.source,
          "synthetic:RATIO (1 to 10), synthetic:repeat (the engine alone), folder:PATH or a file")
      ->capture_default_str();
  add_size(*command, "--bytes", pipeline.bytes, "How much a synthetic source gives");
  command->add_option("--stages", pipeline.stages,
                      "Filters as in gzip:6,gpg or gzip:level=6;… ; also pass and pass-thread");
  command->add_option("--sink", pipeline.sink, "null or file:PATH (replaced)")
      ->capture_default_str();
  add_size(*command, "--memory", pipeline.memory_bytes, "What the plan may use");
  add_size(*command, "--chunk", pipeline.chunk_bytes, "Size of a chunk");
  command->add_option("--slots", pipeline.slots, "Length of every queue, in chunks")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_flag("--digests", pipeline.digests,
                    "SHA-256 behind the source and before the sink, as every job has them");
  command->add_flag("--no-fsync", options->no_fsync, "Leave a file to the page cache");
  command->add_option("--json", options->json, "Write the figures to this file");
  command->add_option("--svg", options->svg, "Draw them to this file");
  command->add_flag("--quiet", options->quiet, "No table");
  command->footer(
      "Examples:\n"
      "  backup-pipe-bench pipeline --source synthetic:repeat --bytes 64GiB\n"
      "  backup-pipe-bench pipeline --source folder:/usr/share --stages gzip:6,gpg --sink "
      "file:/tmp/x");
  command->callback([&session, options] {
    session.action = [&session, options] { return run(session, *options); };
  });
}

}  // namespace bp::bench
