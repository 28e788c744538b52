#include "stages/object_naming.hpp"

#include "config/placeholders.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace bp::stages {

namespace {

asio::awaitable<bool> exists(Store& store, std::string object) {
  try {
    const std::optional<ObjectInfo> info = co_await store.head(std::move(object));
    co_return info.has_value();
  } catch (const Error& error) {
    // The sink's preflight asks the same store and reports what is wrong with it, once.
    if (error.is_consequence()) throw;
  }
  co_return false;
}

}  // namespace

asio::awaitable<std::vector<ObjectName>> settle_names(const LoadedJob& job,
                                                      const config::SourceSection& source,
                                                      const RunIdentity& identity) {
  std::vector<ObjectName> names = object_names(job, source, identity);
  const config::OnExists policy = job.spec().job.on_exists;
  if (policy == config::OnExists::replace) co_return names;

  std::optional<std::string> taken;
  for (const ObjectName& name : names) {
    Store& store = job.store(name.destination);
    const bool there = co_await exists(store, name.name);
    if (there && !taken) taken = store.location(name.name);
  }
  if (!taken) co_return names;
  if (policy == config::OnExists::fail) {
    throw Error{Errc::destination, fmt::format("'{}' exists already", *taken),
                "The job says on_exists = \"fail\"; \"suffix\" keeps both."};
  }
  for (ObjectName& name : names) {
    name.name = config::with_suffix(name.name, name.extension, identity.time);
  }
  co_return names;
}

}  // namespace bp::stages
