#include "stages/registry.hpp"

#include "stages/store.hpp"

#include <utility>

namespace bp::stages {

namespace {

template <class Map>
auto* find(const Map& map, std::string_view type) noexcept {
  const auto found = map.find(type);
  return found == map.end() ? nullptr : &found->second;
}

template <class Map>
std::vector<std::string_view> names(const Map& map) {
  std::vector<std::string_view> result;
  for (const auto& [name, factory] : map) result.push_back(name);
  return result;
}

}  // namespace

void Registry::add_source(std::string type, SourceFactory factory) {
  sources_.insert_or_assign(std::move(type), std::move(factory));
}
void Registry::add_filter(std::string type, FilterFactory factory) {
  filters_.insert_or_assign(std::move(type), std::move(factory));
}
void Registry::add_store(std::string type, StoreFactory factory) {
  stores_.insert_or_assign(std::move(type), std::move(factory));
}

const SourceFactory* Registry::source(std::string_view type) const noexcept {
  return find(sources_, type);
}
const FilterFactory* Registry::filter(std::string_view type) const noexcept {
  return find(filters_, type);
}
const StoreFactory* Registry::store(std::string_view type) const noexcept {
  return find(stores_, type);
}

std::vector<std::string_view> Registry::source_types() const {
  return names(sources_);
}
std::vector<std::string_view> Registry::filter_types() const {
  return names(filters_);
}
std::vector<std::string_view> Registry::store_types() const {
  return names(stores_);
}

}  // namespace bp::stages
