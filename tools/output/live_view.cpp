#include "tools/output/live_view.hpp"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace bp::tools {

namespace {

std::size_t columns_of(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::size_t LiveView::width() const {
  winsize size{};
  const bool known = ::ioctl(terminal_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

/// A terminal that became narrower has broken our lines into several.
std::string LiveView::back_to_the_top(std::size_t width) const {
  if (!drawn_) return {};
  std::size_t rows = 0;
  for (const std::string& line : lines_) {
    rows += std::max<std::size_t>(1, (columns_of(line) + width - 1) / width);
  }
  return rows == 0 ? "\r" : fmt::format("\r\x1b[{}A", rows);
}

void LiveView::draw(std::vector<std::string> lines) {
  std::string frame = back_to_the_top(width());
  for (const std::string& line : lines) frame += line + "\x1b[K\n";
  frame += "\x1b[J";  // what is left of a longer frame
  lines_ = std::move(lines);
  drawn_ = true;
  put(frame);
}

void LiveView::erase() {
  if (!drawn_) return;
  put(back_to_the_top(width()) + "\x1b[J");
  drawn_ = false;
}

void LiveView::put(const std::string& text) const {
  // A terminal that is gone is no reason to end a backup.
  [[maybe_unused]] const ssize_t written = ::write(terminal_, text.data(), text.size());
}

}  // namespace bp::tools
