// config/job.hpp — a job file as plain values: what users think in, before stages know about it.
//
// Loading checks everything that needs no knowledge of a stage type: syntax, ownership, ids,
// references between tables, [job] itself. The options of sources, filters, destinations and
// notifiers stay tables, to be read by the type that owns them (stages/assemble).
#pragma once

#include "config/document.hpp"
#include "config/options.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bp::config {

enum class OnExists : std::uint8_t { suffix, replace, fail };
enum class ManifestDetail : std::uint8_t { normal, full };

/// The [job] table.
struct JobSettings {
  std::string name;      ///< default: the file's name without .toml
  std::string hostname;  ///< default: this machine's
  std::size_t memory_bytes = std::size_t{128} << 20;
  std::size_t chunk_bytes = std::size_t{256} << 10;
  std::vector<std::string> pipeline;  ///< filter names
  Location pipeline_location;         ///< of the key, or of [job]
  std::string object = "/{hostname}/{date}/{id}.{ext}";
  std::string timezone = "UTC";  ///< "UTC", "local" or an IANA name
  OnExists on_exists = OnExists::suffix;
  ManifestDetail manifest_detail = ManifestDetail::normal;
  std::size_t max_parallel = 1;
  bool all_or_nothing = false;
  std::size_t min_success = 0;
  bool warnings_ok = false;
  std::optional<std::size_t> bandwidth;  ///< bytes per second, for all destinations together
};

/// [source.ID], [filter.NAME], [destination.NAME] or [notify.NAME]: the keys that the job layer
/// owns, and the table for its type.
struct Section {
  std::string id;
  std::string type;  ///< `type = "…"`, default for filters and notifiers: the id itself
  Table table;
};
struct SourceSection : Section {
  std::string display_name;                              ///< `name`, default: the id
  std::optional<std::vector<std::string>> pipeline;      ///< overrides the job's
  std::optional<std::vector<std::string>> destinations;  ///< limits it; default: all
  std::optional<SecretRef> passphrase;                   ///< replaces that of symmetric ciphers
  std::optional<std::size_t> min_success;
  std::optional<bool> all_or_nothing;
};
struct FilterSection : Section {
  std::optional<std::string> from;  ///< a source or filter whose output it reads: an edge by hand
};
struct DestinationSection : Section {
  bool required = true;
  bool plaintext_ok = false;
  std::optional<std::vector<std::string>> pipeline;
  std::optional<std::string> from;
  std::optional<std::size_t> bandwidth;           ///< bytes per second
  std::optional<std::chrono::seconds> max_stall;  ///< default: 30 s when not required, else off
};

/// A whole job file. Plain values: copy it, keep it, print it (secrets stay references).
struct JobSpec {
  std::filesystem::path file;  ///< real path; relative paths inside are relative to its folder
  bool literal_secrets_ok = true;
  JobSettings job;
  std::vector<SourceSection> sources;
  std::vector<FilterSection> filters;
  std::vector<DestinationSection> destinations;
  std::vector<Section> notifiers;
  std::vector<std::string> environment_secrets;  ///< variables that the job layer read as secrets
  /// What the job layer read, by table ("job", "source.etc"), for `plan --resolved`.
  std::vector<std::pair<std::string, std::vector<ResolvedOption>>> resolved;

  [[nodiscard]] const FilterSection* find_filter(std::string_view name) const noexcept;
  [[nodiscard]] const DestinationSection* find_destination(std::string_view name) const noexcept;
  /// The filters between one source and one destination, in order: the destination's own pipeline,
  /// else the source's, else the job's.
  [[nodiscard]] const std::vector<std::string>& pipeline_between(
      const SourceSection& source, const DestinationSection& destination) const noexcept;
  /// The destinations of a source, in the order of the file.
  [[nodiscard]] std::vector<const DestinationSection*> destinations_of(
      const SourceSection& source) const;
};

/// Keys of the job layer: a type's reader must `accept` these before finish().
[[nodiscard]] std::vector<std::string_view> job_layer_keys(std::string_view section_kind);

/// Reads and checks a job file. Problems go to `diagnostics`, those that make going on pointless
/// (no such file, syntax, ownership) are thrown as Errc::config.
[[nodiscard]] JobSpec load_job(const std::filesystem::path& file, Diagnostics& diagnostics);

/// The same from text, for tests and tools; `name` is what messages call it.
[[nodiscard]] JobSpec parse_job(std::string_view text, const std::filesystem::path& name,
                                bool literal_secrets_ok, Diagnostics& diagnostics);

}  // namespace bp::config
