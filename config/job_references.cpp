#include "config/job_references.hpp"

#include "config/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bp::config {

namespace {

Location key_location(const Section& section, std::string_view key) {
  const Table::Entry* entry = section.table.find(key);
  return entry == nullptr ? section.table.location : entry->location;
}

template <class Sections>
std::vector<std::string_view> ids_of(const Sections& sections) {
  std::vector<std::string_view> ids;
  for (const Section& section : sections) ids.emplace_back(section.id);
  return ids;
}

class ReferenceCheck {
 public:
  ReferenceCheck(const JobSpec& spec, Diagnostics& diagnostics)
      : spec_{spec}, diagnostics_{diagnostics}, destination_ids_{ids_of(spec.destinations)} {
    const std::vector<std::string_view> ids = ids_of(spec.sources);
    sources_.insert(ids.begin(), ids.end());
    for (const FilterSection& filter : spec.filters) filters_.emplace(filter.id, &filter);
  }

  void check_destinations(const SourceSection& source) {
    if (source.destinations && source.destinations->empty()) {
      diagnostics_.add(key_location(source, "destinations"), "'destinations' is empty");
    }
    const std::set<std::string_view> known{destination_ids_.begin(), destination_ids_.end()};
    std::set<std::string_view> reached;
    for (const std::string& name : source.destinations.value_or(std::vector<std::string>{})) {
      const auto found = known.find(name);
      if (found != known.end()) {
        reached.insert(*found);
      } else {
        unknown(key_location(source, "destinations"), "destination", name, destination_ids_);
      }
    }
    check_min_success(source, source.destinations ? reached.size() : known.size());
  }

  /// `from` leads to a source, directly or through filters that have a `from` of their own.
  void check_from(const Section& section, const std::optional<std::string>& from) {
    if (!from || from->empty()) return;  // an empty one has been reported
    const Location where = key_location(section, "from");
    const auto filter = filters_.find(*from);
    const bool is_source = sources_.contains(*from);
    if (is_source && filter != filters_.end()) {
      diagnostics_.add(where,
                       fmt::format("'{}' is a source and a filter, 'from' could mean both", *from),
                       "rename one of them");
    } else if (!is_source && filter == filters_.end()) {
      std::vector<std::string_view> known{ids_of(spec_.sources)};
      for (const FilterSection& other : spec_.filters) known.emplace_back(other.id);
      unknown(where, "source or filter", *from, known);
    } else if (!is_source && !filter->second->from) {
      diagnostics_.add(where,
                       fmt::format("filter '{}' has no 'from', so nothing reaches it", *from));
    } else if (goes_round(*from)) {
      diagnostics_.add(where, fmt::format("'from' of '{}' goes round", *from));
    }
  }

 private:
  void check_min_success(const SourceSection& source, std::size_t copies) {
    const std::size_t wanted = source.min_success.value_or(spec_.job.min_success);
    if (wanted <= copies || copies == 0) return;
    diagnostics_.add(key_location(source, "min_success"),
                     fmt::format("'min_success' is {}, source '{}' has {} destination{}", wanted,
                                 source.id, copies, copies == 1 ? "" : "s"));
  }

  void unknown(const Location& where, std::string_view what, const std::string& name,
               const std::vector<std::string_view>& known) {
    diagnostics_.add(where, fmt::format("no {} '{}'", what, name),
                     diagnostics_.crowded() ? "" : hint_for_unknown(name, known));
  }

  /// Follows a chain until it ends or meets itself. Each filter is passed once, however many chains
  /// it is on.
  bool goes_round(std::string_view name) {
    std::set<std::string_view> passed;
    bool round = false;
    for (;;) {
      const auto filter = filters_.find(name);
      if (filter == filters_.end() || !filter->second->from) break;
      if (const auto known = goes_round_.find(name); known != goes_round_.end()) {
        round = known->second;
        break;
      }
      if (!passed.insert(name).second) {
        round = true;
        break;
      }
      name = *filter->second->from;
    }
    for (const std::string_view one : passed) goes_round_.emplace(one, round);
    return round;
  }

  const JobSpec& spec_;
  Diagnostics& diagnostics_;
  const std::vector<std::string_view> destination_ids_;
  std::set<std::string_view> sources_;
  std::map<std::string_view, const FilterSection*> filters_;
  std::map<std::string_view, bool> goes_round_;
};

}  // namespace

void check_references(const JobSpec& spec, const Location& file, Diagnostics& diagnostics) {
  if (spec.sources.empty()) {
    diagnostics.add(file, "no source: nothing would be backed up", "add a [source.NAME]");
  }
  if (spec.destinations.empty()) {
    diagnostics.add(file, "no destination: nothing would be stored", "add a [destination.NAME]");
  }
  ReferenceCheck check{spec, diagnostics};
  for (const SourceSection& source : spec.sources) check.check_destinations(source);
  for (const FilterSection& filter : spec.filters) check.check_from(filter, filter.from);
  for (const DestinationSection& destination : spec.destinations) {
    check.check_from(destination, destination.from);
  }
}

}  // namespace bp::config
