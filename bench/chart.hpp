// bench/chart.hpp — horizontal bars as SVG, written by hand: no library, no script, no font of its
// own.
#pragma once

#include <string>
#include <vector>

namespace bp::bench {

/// Parts of a bar are drawn one behind the other, in the colours of the legend.
struct Bar {
  std::string label;
  std::vector<double> parts;
};

struct BarChart {
  std::string title;
  std::string unit;
  std::vector<std::string> legend;  ///< one name per part
  std::vector<Bar> bars;

  /// A whole SVG document. Text is escaped.
  [[nodiscard]] std::string svg() const;
};

}  // namespace bp::bench
