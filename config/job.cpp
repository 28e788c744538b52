#include "config/job.hpp"

#include <algorithm>

namespace bp::config {

namespace {

template <class Sections>
auto* find(const Sections& sections, std::string_view name) noexcept {
  const auto found = std::ranges::find(sections, name, &Section::id);
  return found == sections.end() ? nullptr : &*found;
}

}  // namespace

const FilterSection* JobSpec::find_filter(std::string_view name) const noexcept {
  return find(filters, name);
}

const DestinationSection* JobSpec::find_destination(std::string_view name) const noexcept {
  return find(destinations, name);
}

const std::vector<std::string>& JobSpec::pipeline_between(
    const SourceSection& source, const DestinationSection& destination) const noexcept {
  if (destination.pipeline) return *destination.pipeline;
  return source.pipeline ? *source.pipeline : job.pipeline;
}

std::vector<const DestinationSection*> JobSpec::destinations_of(const SourceSection& source) const {
  std::vector<const DestinationSection*> result;
  for (const DestinationSection& destination : destinations) {
    const bool wanted =
        !source.destinations ||
        std::ranges::find(*source.destinations, destination.id) != source.destinations->end();
    if (wanted) result.push_back(&destination);
  }
  return result;
}

std::vector<std::string_view> job_layer_keys(std::string_view section_kind) {
  if (section_kind == "source") {
    return {"type",       "name",        "pipeline",      "destinations",
            "passphrase", "min_success", "all_or_nothing"};
  }
  if (section_kind == "filter") return {"type", "from"};
  if (section_kind == "destination") {
    return {"type", "required", "plaintext_ok", "pipeline", "from", "bandwidth", "max_stall"};
  }
  return {"type"};
}

}  // namespace bp::config
