#include "bench/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <string_view>

namespace bp::bench {

namespace {

constexpr int label_width = 180, bar_width = 520, figure_width = 120, row_height = 28;
constexpr int width = label_width + bar_width + figure_width;
constexpr int legend_step = 180;
// Told apart by people who do not see red and green, and in grey.
constexpr std::array<std::string_view, 4> colours{"#0072b2", "#e69f00", "#56b4e9", "#999999"};

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

double length_of(const Bar& bar) {
  return std::reduce(bar.parts.begin(), bar.parts.end(), 0.0);
}

void draw_legend(std::string& svg, const std::vector<std::string>& legend, int y) {
  int x = label_width;
  for (std::size_t i = 0; i < legend.size(); ++i, x += legend_step) {
    fmt::format_to(std::back_inserter(svg),
                   "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{}\"/>\n"
                   "<text x=\"{}\" y=\"{}\">{}</text>\n",
                   x, y, colours[i % colours.size()], x + 18, y + 11, escaped(legend[i]));
  }
}

}  // namespace

std::string BarChart::svg() const {
  double longest = 0;
  for (const Bar& bar : bars) longest = std::max(longest, length_of(bar));
  const double scale = longest > 0 ? bar_width / longest : 0;
  const int top = 68;
  const int height = top + static_cast<int>(bars.size()) * row_height + 12;

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" "
      "font-family=\"sans-serif\" font-size=\"13\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
      "<text x=\"12\" y=\"24\" font-size=\"16\">{2}</text>\n",
      width, height, escaped(title));
  draw_legend(svg, legend, top - 28);
  int y = top;
  for (const Bar& bar : bars) {
    fmt::format_to(std::back_inserter(svg),
                   "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", label_width - 8,
                   y + 16, escaped(bar.label));
    double x = label_width;
    for (std::size_t i = 0; i < bar.parts.size(); ++i) {
      const double part = bar.parts[i] * scale;
      fmt::format_to(std::back_inserter(svg),
                     "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"20\" fill=\"{}\"/>\n",
                     x, y, part, colours[i % colours.size()]);
      x += part;
    }
    fmt::format_to(std::back_inserter(svg), "<text x=\"{:.1f}\" y=\"{}\">{:.4g} {}</text>\n", x + 6,
                   y + 16, length_of(bar), escaped(unit));
    y += row_height;
  }
  return svg + "</svg>\n";
}

}  // namespace bp::bench
