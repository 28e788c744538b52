#include "stages/store_manifests.hpp"

#include "engine/run.hpp"
#include "stages/store/manifest.hpp"
#include "stages/support/bytes_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace bp::stages {

namespace {

ManifestDigest digest_of(const SourceReport& report, std::string_view digest_stage) {
  ManifestDigest digest;
  const StageReport* stage = report.find_stage(digest_stage);
  if (stage == nullptr) return digest;
  digest.bytes = stage->bytes_in;
  if (const auto found = stage->notes.find("sha256"); found != stage->notes.end()) {
    digest.sha256 = found->second;
  }
  return digest;
}

ManifestInput manifest_of(const ManifestContext& context, std::size_t index) {
  const SourceGraph::Copy& copy = context.copies[index];
  const config::JobSettings& settings = context.job.spec().job;
  ManifestInput input;
  input.run_id = context.identity.run_id;
  input.job = settings.name;
  input.hostname = settings.hostname;
  input.tool_version = context.version;
  input.source_id = context.source.id;
  input.source_name = context.source.display_name;
  input.source_type = context.source.type;
  input.destination = copy.destination;
  input.object = copy.object;
  input.began = context.report.began;
  input.ended = context.report.ended;
  input.raw = digest_of(context.report, context.raw_digest);
  input.stored = digest_of(context.report, copy.stored_digest);
  if (settings.manifest_detail == config::ManifestDetail::full) {
    input.source_argv = context.job.source_type(context.source.id).argv;
  }
  for (const std::string& name : copy.filters) {
    const config::FilterSection* section = context.job.spec().find_filter(name);
    input.filters.push_back({.name = name,
                             .type = section == nullptr ? name : section->type,
                             .extension = context.job.filter_type(name).extension});
  }
  for (const std::string& name : context.paths[index]) {
    const StageReport* stage = context.report.find_stage(name);
    if (stage == nullptr) continue;
    input.stages.push_back(*stage);
    const auto exit = stage->notes.find("exit");
    if (exit == stage->notes.end()) continue;
    int status = 0;
    std::from_chars(exit->second.data(), exit->second.data() + exit->second.size(), status);
    input.exits.push_back({.stage = name, .status = status});
  }
  for (const Warning& warning : context.report.warnings) {
    if (std::ranges::count(context.paths[index], warning.stage) != 0)
      input.warnings.push_back(warning);
  }
  return input;
}

/// A manifest is stored like any object: prepared, then committed, by a graph of two stages.
asio::awaitable<SourceReport> store_text(Store& store, BuildContext context, std::string text) {
  GraphBuilder builder;
  const auto source = builder.add("manifest", bytes_source(std::move(text)));
  const auto sink = builder.add("destination", store.sink(context));
  builder.connect(source, sink, {.slots = 1});
  Graph graph = std::move(builder).build();
  constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
  constexpr std::size_t enough = std::size_t{64} << 20;
  MemoryPlan plan = plan_memory(graph, chunk_bytes, enough);
  co_return co_await run(std::move(graph), std::move(plan), {});
}

}  // namespace

asio::awaitable<std::vector<std::string>> store_manifests(ManifestContext context) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < context.copies.size(); ++i) {
    const SourceGraph::Copy& copy = context.copies[i];
    const auto sink = std::ranges::find(context.report.sinks, copy.destination, &SinkReport::name);
    if (sink == context.report.sinks.end() || !sink->receipt) continue;
    if (!context.job.store(copy.destination).keeps_manifests()) continue;

    BuildContext build;
    build.run_id = context.identity.run_id;
    build.source_id = context.source.id;
    build.object_name = manifest_name(copy.object);
    build.replace_existing = true;  // the object beside it is ours since a moment ago
    std::string text = manifest_json(manifest_of(context, i));
    const SourceReport stored =
        co_await store_text(context.job.store(copy.destination), std::move(build), std::move(text));
    if (stored.outcome == Outcome::stored) continue;
    problems.push_back(fmt::format("{}: stored without a manifest: {}", copy.destination,
                                   stored.cause ? stored.cause->what() : "stopped"));
  }
  co_return problems;
}

}  // namespace bp::stages
