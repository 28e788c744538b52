// stages/registry.hpp — names of stage types, as used in job files. Built in main(), passed down.
//
// Two steps: options are read once per job file and become plain values (`check` needs no more); a
// stage is made from them per source and destination. A factory records what is wrong with its
// options through the OptionReader; its result is thrown away then, so it may be incomplete.
#pragma once

#include "config/options.hpp"
#include "engine/stage.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

class Journal;
class Store;

/// What a stage is told when it is made for one source's run; known only after the plan.
struct BuildContext {
  std::string run_id, source_id;
  std::string object_name;                      ///< without a leading '/'; sinks only
  bool replace_existing = false;                ///< sinks: an object of that name may be replaced
  std::optional<config::SecretRef> passphrase;  ///< the source's own, for symmetric ciphers
  std::optional<std::uint64_t> expected_bytes;  ///< of the raw stream, from the last good run
  Journal* journal = nullptr;  ///< outlives the stage; null: nothing can be recorded
};

struct SourceType {
  std::string extension{};  ///< ".tar", ".sql"; may be empty
  std::vector<std::string>
      argv{};  ///< for `plan` and the manifest, secrets masked; empty: no child
  std::vector<std::string>
      sudo_argv{};  ///< the exact command that needs root, for `plan --sudoers`
  std::function<std::unique_ptr<Source>(const BuildContext&)> make{};
};

struct FilterType {
  std::string extension{};  ///< ".gz"; may be empty
  bool compresses = false, encrypts = false;
  bool takes_passphrase = false;    ///< a source's `passphrase` applies to it
  bool has_passphrase = false;      ///< … and it has one of its own
  std::vector<std::string> argv{};  ///< for `plan`, secrets masked; empty: no child
  std::function<std::unique_ptr<Filter>(const BuildContext&)> make{};
  /// The filter that undoes it; empty for a type that has no inverse.
  std::function<std::unique_ptr<Filter>(const BuildContext&)> make_inverse{};
};

using SourceFactory = std::function<SourceType(config::OptionReader&)>;
using FilterFactory = std::function<FilterType(config::OptionReader&)>;
using StoreFactory = std::function<std::unique_ptr<Store>(config::OptionReader&)>;

class Registry {
 public:
  void add_source(std::string type, SourceFactory factory);
  void add_filter(std::string type, FilterFactory factory);
  void add_store(std::string type, StoreFactory factory);

  /// Null for a type that does not exist.
  [[nodiscard]] const SourceFactory* source(std::string_view type) const noexcept;
  [[nodiscard]] const FilterFactory* filter(std::string_view type) const noexcept;
  [[nodiscard]] const StoreFactory* store(std::string_view type) const noexcept;
  [[nodiscard]] std::vector<std::string_view> source_types() const;
  [[nodiscard]] std::vector<std::string_view> filter_types() const;
  [[nodiscard]] std::vector<std::string_view> store_types() const;

 private:
  std::map<std::string, SourceFactory, std::less<>> sources_;
  std::map<std::string, FilterFactory, std::less<>> filters_;
  std::map<std::string, StoreFactory, std::less<>> stores_;
};

/// Calls register_<kind>_<name>() of every stage listed in stages/CMakeLists.txt, in that order.
void register_all(Registry& registry);

}  // namespace bp::stages
