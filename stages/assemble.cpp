#include "stages/assemble.hpp"

#include "config/placeholders.hpp"
#include "stages/filters/digest.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

namespace bp::stages {

namespace {

using Node = GraphBuilder::Node;

/// The routes of one source as a tree: what several destinations have in common is there once.
struct Branch {
  std::string filter;  ///< empty at the root
  std::vector<Branch> branches;
  std::vector<const config::DestinationSection*> destinations;

  Branch& branch(const std::string& name) {
    const auto found = std::ranges::find(branches, name, &Branch::filter);
    if (found != branches.end()) return *found;
    return branches.emplace_back(Branch{.filter = name, .branches = {}, .destinations = {}});
  }
};

Branch tree_of(const std::vector<Route>& routes) {
  Branch root;
  for (const Route& route : routes) {
    Branch* at = &root;
    for (const std::string& name : route.filters) at = &at->branch(name);
    at->destinations.push_back(route.destination);
  }
  return root;
}

std::string_view first_destination(const Branch& branch) {
  if (!branch.destinations.empty()) return branch.destinations.front()->id;
  return first_destination(branch.branches.front());
}

/// How long a destination may keep the others waiting: off for a required one, unless the job says
/// so.
std::optional<std::chrono::milliseconds> stall_limit(
    const config::DestinationSection& destination) {
  constexpr std::chrono::seconds optional_default{30};
  if (destination.max_stall) return *destination.max_stall;
  if (!destination.required) return optional_default;
  return std::nullopt;
}

/// A branch may be cut only when every destination behind it may: the most patient one counts.
std::optional<std::chrono::milliseconds> stall_limit(const Branch& branch) {
  std::optional<std::chrono::milliseconds> longest = std::chrono::milliseconds{0};
  const auto count = [&longest](std::optional<std::chrono::milliseconds> limit) {
    longest = limit && longest ? std::optional{std::max(*limit, *longest)} : std::nullopt;
  };
  for (const config::DestinationSection* destination : branch.destinations) {
    count(stall_limit(*destination));
  }
  for (const Branch& behind : branch.branches) count(stall_limit(behind));
  return longest;
}

class Assembler {
 public:
  Assembler(const LoadedJob& job, const config::SourceSection& source, const RunIdentity& identity,
            const std::vector<ObjectName>& objects, const AssembleOptions& options)
      : job_{job}, source_{source}, objects_{objects}, bandwidth_{options.bandwidth} {
    context_.run_id = identity.run_id;
    context_.source_id = source.id;
    context_.passphrase = source.passphrase;
    context_.expected_bytes = options.expected_bytes;
    context_.replace_existing = options.replace_existing;
    context_.journal = options.journal;
  }

  SourceGraph assemble() {
    const Node source =
        builder_.add(unique(source_.id, "source"), job_.source_type(source_.id).make(context_));
    raw_digest_ = unique("sha256 of the source", source_.id);
    const Node digest = builder_.add(raw_digest_, digest_filter());
    builder_.connect(source, digest);
    grow(tree_of(job_.routes_of(source_)), digest, raw_digest_, {});
    return {.graph = std::move(builder_).build(),
            .raw_digest = raw_digest_,
            .copies = std::move(copies_)};
  }

 private:
  /// Two stages of one graph must not share a name: the second says whose it is.
  std::string unique(std::string name, std::string_view whose) {
    if (!names_.insert(name).second) {
      name = fmt::format("{} ({})", name, whose);
      names_.insert(name);
    }
    return name;
  }

  void grow(const Branch& branch, Node from, const std::string& digest_of_from,
            const std::vector<std::string>& filters) {
    for (const Branch& behind : branch.branches) {
      const Node filter = builder_.add(unique(behind.filter, first_destination(behind)),
                                       job_.filter_type(behind.filter).make(context_));
      builder_.connect(from, filter, {.max_stall = stall_limit(behind)});
      std::vector<std::string> passed = filters;
      passed.push_back(behind.filter);
      grow(behind, filter, {}, passed);
    }
    if (branch.destinations.empty()) return;

    // What the destinations store is hashed once for all of them; unfiltered data has its digest
    // already.
    std::string stored_digest = digest_of_from;
    if (stored_digest.empty()) {
      stored_digest = unique("sha256 of the object", first_destination(branch));
      const Node digest = builder_.add(stored_digest, digest_filter());
      builder_.connect(from, digest,
                       {.max_stall = stall_limit(
                            {.filter = {}, .branches = {}, .destinations = branch.destinations})});
      from = digest;
    }
    for (const config::DestinationSection* destination : branch.destinations) {
      add_sink(*destination, from, stored_digest, filters);
    }
  }

  void add_sink(const config::DestinationSection& destination, Node from,
                const std::string& stored_digest, const std::vector<std::string>& filters) {
    const auto object = std::ranges::find(objects_, destination.id, &ObjectName::destination);
    if (object == objects_.end()) {
      throw Error{Errc::internal,
                  fmt::format("no object name for destination '{}'", destination.id)};
    }
    BuildContext context = context_;
    context.object_name = object->name;
    const Node sink = builder_.add(unique(destination.id, "destination"),
                                   job_.store(destination.id).sink(context), destination.required);
    from = limit(destination, from);
    builder_.connect(from, sink, {.max_stall = stall_limit(destination)});
    copies_.push_back({.destination = destination.id,
                       .object = object->name,
                       .filters = filters,
                       .stored_digest = stored_digest});
  }

  /// Behind the digest and on this destination's own edge, so that only its own pace is limited:
  /// the tee before it counts the waiting like that of a slow destination.
  Node limit(const config::DestinationSection& destination, Node from) {
    std::vector<SharedBucket> buckets;
    if (bandwidth_) buckets.push_back(bandwidth_);
    if (destination.bandwidth) buckets.push_back(bucket_of(*destination.bandwidth));
    if (buckets.empty()) return from;
    const Node limited = builder_.add(unique("bandwidth of " + destination.id, "destination"),
                                      rate_limit_filter(std::move(buckets)));
    builder_.connect(from, limited, {.max_stall = stall_limit(destination)});
    return limited;
  }

  const LoadedJob& job_;
  const config::SourceSection& source_;
  const std::vector<ObjectName>& objects_;
  const SharedBucket bandwidth_;
  BuildContext context_;
  GraphBuilder builder_;
  std::set<std::string> names_;
  std::string raw_digest_;
  std::vector<SourceGraph::Copy> copies_;
};

}  // namespace

RunIdentity new_identity(const config::JobSettings& job,
                         std::chrono::system_clock::time_point now) {
  const config::WallClock clock = config::wall_clock(now, job.timezone);
  std::random_device entropy;
  return {.run_id = fmt::format("{:%Y%m%dT%H%M%SZ}-{:06x}",
                                fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                                entropy() & 0xFFFFFFU),
          .date = clock.date,
          .time = clock.time,
          .began = now};
}

std::vector<ObjectName> object_names(const LoadedJob& job, const config::SourceSection& source,
                                     const RunIdentity& identity) {
  std::vector<ObjectName> names;
  const config::JobSettings& settings = job.spec().job;
  for (const Route& route : job.routes_of(source)) {
    std::string extension = job.extension_of(source, route);
    if (extension.starts_with('.')) extension.erase(0, 1);
    const config::NameParts parts{.hostname = settings.hostname,
                                  .job = settings.name,
                                  .run = identity.run_id,
                                  .id = source.id,
                                  .ext = extension,
                                  .date = identity.date,
                                  .time = identity.time};
    names.push_back({.destination = route.destination->id,
                     .name = config::expand_template(settings.object, parts),
                     .extension = extension});
  }
  return names;
}

SharedBucket job_bandwidth(const config::JobSettings& job) {
  return job.bandwidth ? bucket_of(*job.bandwidth) : nullptr;
}

SourceGraph assemble(const LoadedJob& job, const config::SourceSection& source,
                     const RunIdentity& identity, const std::vector<ObjectName>& objects,
                     const AssembleOptions& options) {
  return Assembler{job, source, identity, objects, options}.assemble();
}

}  // namespace bp::stages
