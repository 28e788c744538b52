// stages/store.hpp — a place that holds objects. One per [destination.X]: gives a sink per object,
// reads back.
#pragma once

#include "engine/stage.hpp"
#include "stages/registry.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bp::stages {

struct JournalEntry;

/// A part of an object, in bytes. Without a length: to its end.
struct Range {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

struct ObjectInfo {
  std::string name;  ///< relative to the store, '/'-separated, no leading '/'
  std::uint64_t bytes = 0;
  std::string etag;
  std::chrono::system_clock::time_point modified;
  std::optional<std::chrono::system_clock::time_point> locked_until;
};

/// Coroutines run on the I/O thread; a store that blocks does so on a thread of its own. Throws
/// Errc::destination. Outlives the sinks and sources that it gave away.
class Store {
 public:
  virtual ~Store() = default;
  /// Across a network: plaintext must be allowed for it.
  [[nodiscard]] virtual bool remote() const = 0;
  /// "file:///srv/backups/h/etc.tar.gz": for people, no secrets.
  [[nodiscard]] virtual std::string location(const std::string& object) const = 0;

  [[nodiscard]] virtual std::unique_ptr<Sink> sink(const BuildContext& context) = 0;
  [[nodiscard]] virtual std::unique_ptr<Source> open(std::string object, Range range) = 0;
  /// Every committed object whose name begins with `prefix`, by name; unfinished ones are not
  /// objects.
  [[nodiscard]] virtual asio::awaitable<std::vector<ObjectInfo>> list(std::string prefix) = 0;
  [[nodiscard]] virtual asio::awaitable<std::optional<ObjectInfo>> head(std::string object) = 0;
  /// Removing what is not there is no error.
  [[nodiscard]] virtual asio::awaitable<void> remove(std::string object) = 0;
  /// Removes what an earlier run's journal says may have been left behind, and nothing else.
  [[nodiscard]] virtual asio::awaitable<void> sweep(const JournalEntry& entry) = 0;
  /// False: objects are stored without a manifest beside them.
  [[nodiscard]] virtual bool keeps_manifests() const { return true; }
};

}  // namespace bp::stages
