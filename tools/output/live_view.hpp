// tools/output/live_view.hpp — lines at the bottom of a terminal that are drawn over again and
// again.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bp::tools {

/// Draws with one write() a frame, line over line, so that nothing flickers; hides nothing, so that
/// there is nothing to restore however we end. Follows the terminal's width. One thread.
class LiveView {
 public:
  /// `terminal` is a descriptor that stays open.
  explicit LiveView(int terminal) : terminal_{terminal} {}
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;
  /// Erases what it drew.
  ~LiveView() { erase(); }

  [[nodiscard]] std::size_t width() const;
  /// Replaces what is there.
  void draw(std::vector<std::string> lines);
  /// Leaves the cursor where the lines began; draw() or redraw() bring them back.
  void erase();
  void redraw() { draw(lines_); }

 private:
  [[nodiscard]] std::string back_to_the_top(std::size_t width) const;
  void put(const std::string& text) const;

  int terminal_;
  std::vector<std::string> lines_;
  bool drawn_ = false;
};

}  // namespace bp::tools
