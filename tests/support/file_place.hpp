// tests/support/file_place.hpp — a file destination in a folder of its own, looked at without
// asking it.
#pragma once

#include "stages/destinations/file.hpp"
#include "stages/store/journal.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bp::test {

/// Fits the conformance suite.
template <stages::Temporary temporary>
struct FilePlace {
  FilePlace() {
    std::filesystem::create_directory(folder / "store");
    reopen_journal();
    store_ = stages::file_store({.name = "nas", .root = folder / "store"}, temporary);
  }
  stages::Store& store() { return *store_; }
  stages::Journal* journal() { return journal_.get(); }
  void reopen_journal() {
    journal_.reset();
    journal_ = std::make_unique<stages::Journal>(folder / "journal", "20261123-020000-ab12");
  }
  [[nodiscard]] std::filesystem::path path(std::string_view object) const {
    return folder / "store" / object;
  }
  [[nodiscard]] std::vector<std::string> objects() const { return names(false); }
  [[nodiscard]] std::vector<std::string> traces() const { return names(true); }

  static constexpr std::size_t unit_bytes = 64 << 10;
  static constexpr bool refuses_existing = true;

  TemporaryFolder folder;

 private:
  [[nodiscard]] std::vector<std::string> names(bool hidden_ones) const {
    std::vector<std::string> found;
    for (const std::filesystem::directory_entry& entry :
         std::filesystem::recursive_directory_iterator{folder / "store"}) {
      const std::string name = entry.path().lexically_relative(folder / "store").native();
      if (entry.is_directory()) continue;
      const bool hidden = entry.path().filename().native().starts_with('.');
      if (hidden == hidden_ones) found.push_back(name);
    }
    std::ranges::sort(found);
    return found;
  }

  std::unique_ptr<stages::Journal> journal_;
  std::unique_ptr<stages::Store> store_;
};

using UnnamedPlace = FilePlace<stages::Temporary::unnamed_if_possible>;
using NamedPlace = FilePlace<stages::Temporary::named>;

/// What a sink for `object` is told.
inline stages::BuildContext context_for(std::string object, stages::Journal* journal = nullptr) {
  stages::BuildContext context;
  context.run_id = "20261123-020000-ab12";
  context.source_id = "etc";
  context.object_name = std::move(object);
  context.journal = journal;
  return context;
}

}  // namespace bp::test
