#include "stages/sources/dump_end.hpp"

#include <algorithm>
#include <utility>

namespace bp::stages {

namespace {

constexpr std::size_t tail_bytes = 4096;

}  // namespace

DumpEnd::DumpEnd(std::string mark) : mark_{std::move(mark)}, tail_{tail_bytes} {}

void DumpEnd::saw(std::span<const std::byte> bytes) {
  if (mark_.empty()) return;
  const auto last = bytes.last(std::min(bytes.size(), tail_bytes));
  tail_.append({reinterpret_cast<const char*>(last.data()), last.size()});
}

bool DumpEnd::is_there() const {
  // At the beginning of a line: in a row's data a line break is written as "\n".
  return mark_.empty() || tail_.text().find("\n" + mark_) != std::string::npos;
}

}  // namespace bp::stages
