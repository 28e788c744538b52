// stages/sources/dump_end.hpp — whether a dump's text ends the way that a finished one does.
//
// A second check, after the exit status: a dumper told to go on after errors prints its end mark,
// too.
#pragma once

#include "stages/support/tail_buffer.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace bp::stages {

/// Remembers the last 4 KiB of a dump. The mark need not be the last line: pg_dump ends with
/// "\unrestrict", and mysqldump's has the date behind it.
class DumpEnd {
 public:
  /// `mark` is the text that begins a line near the end; empty: a dump without one.
  explicit DumpEnd(std::string mark);

  void saw(std::span<const std::byte> bytes);
  [[nodiscard]] bool is_there() const;
  [[nodiscard]] const std::string& mark() const noexcept { return mark_; }

 private:
  std::string mark_;
  TailBuffer tail_;
};

}  // namespace bp::stages
