// bench/table.hpp — rows of text as a table, for a terminal or for a Markdown page.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bp::bench {

/// The first column is words and stands left; the others are figures and stand right.
class Table {
 public:
  explicit Table(std::vector<std::string> header);

  /// A row with fewer cells than the header is filled up with empty ones. Throws Errc::internal for
  /// more.
  void add(std::vector<std::string> row);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string markdown() const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  [[nodiscard]] std::string markdown_rows() const;
  std::vector<std::vector<std::string>> rows_;  ///< the header first
};

}  // namespace bp::bench
