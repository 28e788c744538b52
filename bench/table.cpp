#include "bench/table.hpp"

#include "engine/error.hpp"

#include <algorithm>
#include <utility>

namespace bp::bench {

namespace {

/// Characters, not bytes: UTF-8 continuation bytes take no room.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0U) != 0x80; }));
}

std::string padded(const std::string& cell, std::size_t width, bool left) {
  const std::string space(width - width_of(cell), ' ');
  return left ? cell + space : space + cell;
}

/// A bar would end the cell.
std::string without_bars(const std::string& cell) {
  std::string result;
  for (const char c : cell) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

Table::Table(std::vector<std::string> header) {
  rows_.push_back(std::move(header));
}

void Table::add(std::vector<std::string> row) {
  if (row.size() > rows_.front().size()) {
    throw Error{Errc::internal, "a table's row has more cells than its header"};
  }
  row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  return widths;
}

std::string Table::text() const {
  const std::vector<std::size_t> width = widths();
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != 0) line += "  ";
      line += padded(row[i], width[i], i == 0);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string Table::markdown() const {
  Table page = *this;
  for (auto& row : page.rows_) std::ranges::transform(row, row.begin(), without_bars);
  return page.markdown_rows();
}

std::string Table::markdown_rows() const {
  const std::vector<std::size_t> width = widths();
  std::string text;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t i = 0; i < rows_[r].size(); ++i) {
      text += "| " + padded(rows_[r][i], width[i], i == 0) + ' ';
    }
    text += "|\n";
    if (r != 0) continue;
    for (std::size_t i = 0; i < width.size(); ++i) {
      text += (i == 0 ? "|---" : "|--:");
    }
    text += "|\n";
  }
  return text;
}

}  // namespace bp::bench
