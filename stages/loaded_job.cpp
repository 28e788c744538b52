#include "stages/loaded_job.hpp"

#include "config/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace bp::stages {

namespace {

using config::Diagnostics;
using config::Location;

/// Where a section's `type` is written, or the section itself when the type is its name.
Location type_location(const config::Section& section) {
  const auto* entry = section.table.find("type");
  return entry != nullptr ? entry->location : section.table.location;
}

void unknown_type(Diagnostics& diagnostics, const config::Section& section, std::string_view kind,
                  const std::vector<std::string_view>& known) {
  if (section.type.empty()) return;  // a missing `type` has been reported
  if (known.empty()) {
    diagnostics.add(section.table.location, fmt::format("unknown {} type '{}'", kind, section.type),
                    fmt::format("this version has no {}s", kind));
    return;
  }
  const auto nearest = config::nearest_name(section.type, known);
  diagnostics.add(type_location(section), fmt::format("unknown {} type '{}'", kind, section.type),
                  nearest ? fmt::format("did you mean '{}'?", *nearest)
                          : fmt::format("known: {}", fmt::join(known, ", ")));
}

template <class Map>
const auto& at(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  if (found == map.end()) {
    throw Error{Errc::internal, fmt::format("'{}' was not loaded", name)};
  }
  return found->second;
}

}  // namespace

/// Reads one table with the factory of its type, and reports the keys that nobody asked for.
template <class Factory>
auto LoadedJob::read(const Factory& factory, const config::Section& section, std::string_view kind,
                     Diagnostics& diagnostics) {
  config::OptionReader options{section.table, fmt::format("{}.{}", kind, section.id), diagnostics,
                               spec_.literal_secrets_ok};
  for (const std::string_view key : config::job_layer_keys(kind)) options.accept(key);
  auto made = factory(options);
  options.finish();
  resolved_.emplace_back(options.title(), options.resolved());
  std::ranges::copy(options.environment_secrets(), std::back_inserter(spec_.environment_secrets));
  return made;
}

LoadedJob::LoadedJob(config::JobSpec spec, const Registry& registry, Diagnostics& diagnostics)
    : spec_{std::move(spec)} {
  read_sources(registry, diagnostics);
  read_filters(registry, diagnostics);
  read_destinations(registry, diagnostics);
  for (const config::Section& notifier : spec_.notifiers) {
    unknown_type(diagnostics, notifier, "notifier", {});
  }
  // Routes are worth checking only when every type on them is known.
  if (diagnostics.empty()) check_routes(diagnostics);
}

void LoadedJob::read_sources(const Registry& registry, Diagnostics& diagnostics) {
  for (const config::SourceSection& section : spec_.sources) {
    const SourceFactory* factory = registry.source(section.type);
    if (factory == nullptr) {
      unknown_type(diagnostics, section, "source", registry.source_types());
      continue;
    }
    sources_.emplace(section.id, read(*factory, section, "source", diagnostics));
  }
}

void LoadedJob::read_filter(const Registry& registry, const config::FilterSection& section,
                            Diagnostics& diagnostics) {
  const FilterFactory* factory = registry.filter(section.type);
  if (factory == nullptr) {
    unknown_type(diagnostics, section, "filter", registry.filter_types());
    return;
  }
  filters_.emplace(section.id, read(*factory, section, "filter", diagnostics));
}

void LoadedJob::read_filters(const Registry& registry, Diagnostics& diagnostics) {
  for (const config::FilterSection& section : spec_.filters) {
    read_filter(registry, section, diagnostics);
  }
  // A bare name in a pipeline is its own type, with defaults.
  const auto add_bare = [&](const std::vector<std::string>& pipeline, const Location& where) {
    for (const std::string& name : pipeline) {
      if (spec_.find_filter(name) != nullptr || filters_.contains(name)) continue;
      if (registry.filter(name) != nullptr) {
        config::FilterSection bare;
        bare.id = bare.type = name;
        bare.table.location = where;
        read_filter(registry, bare, diagnostics);
        continue;
      }
      std::vector<std::string_view> known = registry.filter_types();
      for (const config::FilterSection& section : spec_.filters) known.emplace_back(section.id);
      const auto nearest = config::nearest_name(name, known);
      diagnostics.add(where, fmt::format("no filter '{}'", name),
                      nearest ? fmt::format("did you mean '{}'?", *nearest)
                              : fmt::format("known: {}", fmt::join(known, ", ")));
    }
  };
  const auto pipeline_location = [](const config::Section& section) {
    const auto* entry = section.table.find("pipeline");
    return entry != nullptr ? entry->location : section.table.location;
  };
  add_bare(spec_.job.pipeline, spec_.job.pipeline_location);
  for (const config::SourceSection& source : spec_.sources) {
    if (source.pipeline) add_bare(*source.pipeline, pipeline_location(source));
  }
  for (const config::DestinationSection& destination : spec_.destinations) {
    if (destination.pipeline) add_bare(*destination.pipeline, pipeline_location(destination));
  }
}

void LoadedJob::read_destinations(const Registry& registry, Diagnostics& diagnostics) {
  for (const config::DestinationSection& section : spec_.destinations) {
    const StoreFactory* factory = registry.store(section.type);
    if (factory == nullptr) {
      unknown_type(diagnostics, section, "destination", registry.store_types());
      continue;
    }
    stores_.emplace(section.id, read(*factory, section, "destination", diagnostics));
  }
}

void LoadedJob::check_routes(Diagnostics& diagnostics) const {
  for (const config::SourceSection& source : spec_.sources) {
    const std::vector<Route> routes = routes_of(source);
    if (routes.empty()) {
      diagnostics.add(source.table.location,
                      fmt::format("source '{}' reaches no destination", source.id),
                      "A destination with `from` takes only the source at the end of that chain.");
    }
    for (const Route& route : routes) check_route(source, route, diagnostics);
  }
}

void LoadedJob::check_route(const config::SourceSection& source, const Route& route,
                            Diagnostics& diagnostics) const {
  const auto complain = [&](std::string message, std::string hint) {
    diagnostics.add(source.table.location,
                    fmt::format("source '{}' to destination '{}': {}", source.id,
                                route.destination->id, message),
                    std::move(hint));
  };
  std::string_view cipher;
  for (const std::string& name : route.filters) {
    const FilterType& filter = filter_type(name);
    if (filter.compresses && !cipher.empty()) {
      complain(fmt::format("'{}' compresses what '{}' has encrypted", name, cipher),
               "Encrypted data does not compress: put the compressor first.");
    }
    if (filter.encrypts) cipher = name;
    if (filter.takes_passphrase && !filter.has_passphrase && !source.passphrase) {
      complain(fmt::format("'{}' has no passphrase", name),
               fmt::format("Give [filter.{}] or [source.{}] a passphrase.", name, source.id));
    }
  }
  if (cipher.empty() && store(route.destination->id).remote() && !route.destination->plaintext_ok) {
    complain("the data would leave this machine unencrypted",
             "Add a cipher to the pipeline, or `plaintext_ok = true` to the destination.");
  }
}

const SourceType& LoadedJob::source_type(std::string_view id) const {
  return at(sources_, id);
}
const FilterType& LoadedJob::filter_type(std::string_view name) const {
  return at(filters_, name);
}
Store& LoadedJob::store(std::string_view destination) const {
  return *at(stores_, destination);
}

std::vector<Route> LoadedJob::routes_of(const config::SourceSection& source) const {
  std::vector<Route> routes;
  for (const config::DestinationSection* destination : spec_.destinations_of(source)) {
    if (!destination->from) {
      routes.push_back({destination, spec_.pipeline_between(source, *destination)});
      continue;
    }
    // Edges by hand: follow `from` back to a source. A chain that goes round was refused by the
    // loader.
    std::vector<std::string> filters;
    std::string_view at_name = *destination->from;
    for (const config::FilterSection* filter = spec_.find_filter(at_name);
         filter != nullptr && filter->from; filter = spec_.find_filter(at_name)) {
      filters.insert(filters.begin(), filter->id);
      at_name = *filter->from;
    }
    if (at_name == source.id) routes.push_back({destination, std::move(filters)});
  }
  return routes;
}

std::string LoadedJob::extension_of(const config::SourceSection& source, const Route& route) const {
  std::string extension = source_type(source.id).extension;
  for (const std::string& name : route.filters) extension += filter_type(name).extension;
  return extension;
}

LoadedJob load_job(const std::filesystem::path& file, const Registry& registry) {
  Diagnostics diagnostics;
  config::JobSpec spec = config::load_job(file, diagnostics);
  LoadedJob job{std::move(spec), registry, diagnostics};
  diagnostics.throw_if_any();
  return job;
}

}  // namespace bp::stages
