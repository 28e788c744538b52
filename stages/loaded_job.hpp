// stages/loaded_job.hpp — a job file in which every table was read by the type that owns it.
#pragma once

#include "config/job.hpp"
#include "stages/registry.hpp"
#include "stages/store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

/// One way of a source's stream to a destination: which filters it passes, in order.
struct Route {
  const config::DestinationSection* destination;
  std::vector<std::string> filters;  ///< names
};

/// Everything that is known before a run starts: plain values and stores. No secret is resolved,
/// nothing was contacted. Lives as long as the runs made from it.
class LoadedJob {
 public:
  LoadedJob(config::JobSpec spec, const Registry& registry, config::Diagnostics& diagnostics);

  [[nodiscard]] const config::JobSpec& spec() const noexcept { return spec_; }
  [[nodiscard]] const SourceType& source_type(std::string_view id) const;
  [[nodiscard]] const FilterType& filter_type(std::string_view name) const;
  [[nodiscard]] Store& store(std::string_view destination) const;

  /// Every setting of every table, as it was understood: the job's layer first, then each type's.
  using Resolved = std::vector<std::pair<std::string, std::vector<config::ResolvedOption>>>;
  [[nodiscard]] const Resolved& resolved() const noexcept { return resolved_; }

  /// The routes of a source, in the order of the destinations in the file.
  [[nodiscard]] std::vector<Route> routes_of(const config::SourceSection& source) const;
  /// ".tar.gz.gpg": the source's extension and those of the filters on the route.
  [[nodiscard]] std::string extension_of(const config::SourceSection& source,
                                         const Route& route) const;

 private:
  void read_sources(const Registry& registry, config::Diagnostics& diagnostics);
  void read_filters(const Registry& registry, config::Diagnostics& diagnostics);
  void read_filter(const Registry& registry, const config::FilterSection& section,
                   config::Diagnostics& diagnostics);
  void read_destinations(const Registry& registry, config::Diagnostics& diagnostics);
  void check_routes(config::Diagnostics& diagnostics) const;
  void check_route(const config::SourceSection& source, const Route& route,
                   config::Diagnostics& diagnostics) const;

  template <class Factory>
  auto read(const Factory& factory, const config::Section& section, std::string_view kind,
            config::Diagnostics& diagnostics);

  config::JobSpec spec_;
  Resolved resolved_;
  std::map<std::string, SourceType, std::less<>> sources_;
  std::map<std::string, FilterType, std::less<>> filters_;
  std::map<std::string, std::unique_ptr<Store>, std::less<>> stores_;
};

/// Reads a job file and all of its tables. Throws Errc::config with every problem that was found.
[[nodiscard]] LoadedJob load_job(const std::filesystem::path& file, const Registry& registry);

}  // namespace bp::stages
