#include "stages/store/manifest.hpp"

#include "stages/support/utc_time.hpp"

#include <nlohmann/json.hpp>

namespace bp::stages {

namespace {

using Json = nlohmann::ordered_json;

constexpr int format_version = 1;
constexpr std::string_view suffix = ".manifest.json";

Json to_json(const ManifestDigest& digest) {
  Json json{{"bytes", digest.bytes}};
  if (digest.sha256) json["sha256"] = *digest.sha256;
  return json;
}

Json source_json(const ManifestInput& input) {
  Json json{{"id", input.source_id}, {"name", input.source_name}, {"type", input.source_type}};
  if (!input.source_argv.empty()) json["argv"] = input.source_argv;
  if (!input.source_paths.empty()) json["paths"] = input.source_paths;
  return json;
}

Json filters_json(const std::vector<ManifestFilter>& filters) {
  Json json = Json::array();
  for (const ManifestFilter& filter : filters) {
    json.push_back({{"name", filter.name}, {"type", filter.type}, {"extension", filter.extension}});
  }
  return json;
}

Json stages_json(const std::vector<StageReport>& stages) {
  Json json = Json::array();
  for (const StageReport& stage : stages) {
    Json notes = Json::object();
    for (const auto& [key, value] : stage.notes) notes[key] = value;
    json.push_back({{"name", stage.name},
                    {"bytes_in", stage.bytes_in},
                    {"bytes_out", stage.bytes_out},
                    {"notes", std::move(notes)}});
  }
  return json;
}

Json exits_json(const std::vector<ManifestExit>& exits) {
  Json json = Json::array();
  for (const ManifestExit& exit : exits) {
    json.push_back({{"stage", exit.stage}, {"status", exit.status}});
  }
  return json;
}

Json warnings_json(const std::vector<Warning>& warnings) {
  Json json = Json::array();
  for (const Warning& warning : warnings) {
    json.push_back({{"stage", warning.stage}, {"text", warning.text}, {"lines", warning.lines}});
  }
  return json;
}

}  // namespace

std::string manifest_json(const ManifestInput& input) {
  const Json manifest{{"format_version", format_version},
                      {"tool", {{"name", "backup-pipe"}, {"version", input.tool_version}}},
                      {"run_id", input.run_id},
                      {"job", input.job},
                      {"hostname", input.hostname},
                      {"source", source_json(input)},
                      {"destination", input.destination},
                      {"object", input.object},
                      {"began", utc_text(input.began)},
                      {"ended", utc_text(input.ended)},
                      {"raw", to_json(input.raw)},
                      {"stored", to_json(input.stored)},
                      {"filters", filters_json(input.filters)},
                      {"stages", stages_json(input.stages)},
                      {"exits", exits_json(input.exits)},
                      {"warnings", warnings_json(input.warnings)}};
  return manifest.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string manifest_name(std::string_view object) {
  return std::string{object} += suffix;
}

bool is_manifest_name(std::string_view object) noexcept {
  return object.size() > suffix.size() && object.ends_with(suffix);
}

}  // namespace bp::stages
