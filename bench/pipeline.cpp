#include "bench/pipeline.hpp"

#include "bench/null_sink.hpp"
#include "bench/stage_syntax.hpp"
#include "bench/synthetic_source.hpp"
#include "engine/run.hpp"
#include "stages/filters/digest.hpp"
#include "stages/store.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <set>
#include <utility>

namespace bp::bench {

namespace {

constexpr std::string_view synthetic = "synthetic:", folder = "folder:", file = "file:";

config::Table table_of(std::string origin,
                       std::vector<std::pair<std::string, config::Value::Data>> options) {
  config::Table table{.location = {.file = std::make_shared<const std::string>(std::move(origin)),
                                   .line = 1,
                                   .column = 1},
                      .entries = {}};
  for (auto& [key, value] : options) {
    table.entries.push_back(
        {.key = std::move(key),
         .location = table.location,
         .value = std::make_shared<const config::Value>(std::move(value), table.location)});
  }
  return table;
}

/// What the factory of a type makes of options that we wrote ourselves.
template <class Factory>
auto made_by(const Factory* factory, std::string title, const config::Table& table) {
  if (factory == nullptr) {
    throw Error{Errc::config, fmt::format("this build has no '{}'", title)};
  }
  config::Diagnostics diagnostics;
  config::OptionReader options{table, std::move(title), diagnostics, true};
  auto made = (*factory)(options);
  diagnostics.throw_if_any();
  return made;
}

std::unique_ptr<Source> make_source(const PipelineOptions& options,
                                    const stages::Registry& registry) {
  const std::string& text = options.source;
  if (text.starts_with(synthetic)) {
    return synthetic_source(parse_synthetic(std::string_view{text}.substr(synthetic.size())),
                            options.bytes);
  }
  const bool is_folder = text.starts_with(folder);
  const std::string type = is_folder ? "folder" : "file";
  const std::filesystem::path path{is_folder ? text.substr(folder.size()) : text};
  const auto table = table_of("--source", {{"path", std::filesystem::absolute(path).string()}});
  return made_by(registry.source(type), "source." + type, table).make({});
}

/// A file sink lives in a store, which must outlive it.
struct Destination {
  std::unique_ptr<stages::Store> store;
  std::unique_ptr<Sink> sink;
};

Destination make_sink(const PipelineOptions& options, const stages::Registry& registry) {
  if (options.sink == "null") return {.store = nullptr, .sink = null_sink()};
  if (!options.sink.starts_with(file)) {
    throw Error{Errc::config, fmt::format("unknown sink '{}'", options.sink),
                "Write null or file:PATH."};
  }
  const auto path = std::filesystem::absolute(options.sink.substr(file.size()));
  const auto table =
      table_of("--sink", {{"path", path.parent_path().string()}, {"fsync", options.fsync}});
  Destination made{.store = made_by(registry.store("file"), "destination.file", table),
                   .sink = nullptr};
  stages::BuildContext context;
  context.object_name = path.filename().string();
  context.replace_existing = true;
  made.sink = made.store->sink(context);
  return made;
}

/// Joins stages to a chain as they come.
class Chain {
 public:
  explicit Chain(std::size_t slots) : slots_{slots} {}

  template <class StagePointer>
  void add(const std::string& name, StagePointer stage) {
    std::string unique = name;
    for (int i = 2; !names_.insert(unique).second; ++i) unique = fmt::format("{} {}", name, i);
    const auto node = builder_.add(unique, std::move(stage));
    if (last_) builder_.connect(*last_, node, {.slots = slots_});
    last_ = node;
  }
  [[nodiscard]] Graph build() && { return std::move(builder_).build(); }

 private:
  const std::size_t slots_;
  GraphBuilder builder_;
  std::set<std::string> names_;
  std::optional<GraphBuilder::Node> last_;
};

/// For ciphers that were given none: what is measured does not depend on it.
config::SecretRef any_passphrase() {
  return {config::SecretRef::Literal{config::Secret{"a passphrase for measuring"}}, "the bench"};
}

void add_filters(Chain& chain, const PipelineOptions& options, const stages::Registry& registry) {
  const std::vector<StageSpec> specs = parse_stages(options.stages);
  const std::vector<stages::FilterType> types = read_stages(specs, registry);
  if (options.digests) chain.add("sha256", stages::digest_filter());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    stages::BuildContext context;
    context.run_id = "bench";
    context.source_id = "source";
    if (types[i].takes_passphrase && !types[i].has_passphrase)
      context.passphrase = any_passphrase();
    chain.add(specs[i].type, types[i].make(context));
  }
  if (options.digests && !specs.empty()) chain.add("sha256", stages::digest_filter());
}

SourceReport run_here(Graph graph, MemoryPlan plan) {
  asio::io_context io{1};
  std::exception_ptr failure;
  SourceReport report;
  auto task = bp::run(std::move(graph), std::move(plan), {});
  asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, SourceReport finished) {
    failure = thrown;
    report = std::move(finished);
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  if (report.cause) throw *report.cause;
  return report;
}

}  // namespace

Measurement run_pipeline(const PipelineOptions& options, const stages::Registry& registry) {
  Destination destination = make_sink(options, registry);
  Chain chain{options.slots};
  chain.add("source", make_source(options, registry));
  add_filters(chain, options, registry);
  chain.add("sink", std::move(destination.sink));
  Graph graph = std::move(chain).build();
  MemoryPlan plan = plan_memory(graph, options.chunk_bytes, options.memory_bytes);

  Measurement measured;
  measured.plan_bytes = plan.total_bytes();
  measured.chunk_bytes = plan.chunk_bytes;
  const auto began = std::chrono::steady_clock::now();
  measured.report = run_here(std::move(graph), std::move(plan));
  measured.wall = std::chrono::steady_clock::now() - began;
  measured.usage = usage_of_this_process();
  return measured;
}

}  // namespace bp::bench
