// stages/support/tail_buffer.hpp — the last so many bytes of a stream of any length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

/// Keeps the end of what it is given, in memory that never grows beyond its limit.
class TailBuffer {
 public:
  explicit TailBuffer(std::size_t limit) : limit_{limit} {}

  void append(std::string_view bytes);
  /// The kept bytes, oldest first.
  [[nodiscard]] std::string text() const;

 private:
  std::size_t limit_;
  std::size_t next_ = 0;  ///< where the oldest byte is, once the ring is full
  std::string ring_;
};

/// The lines of a child's messages that say something, trimmed; what cannot be printed becomes '?',
/// so that a message cannot steer a terminal. At most the last `limit` lines.
[[nodiscard]] std::vector<std::string> message_lines(std::string_view text, std::size_t limit);

}  // namespace bp::stages
