#include "stages/support/tail_buffer.hpp"

#include <algorithm>

namespace bp::stages {

namespace {

std::string printable(std::string_view line) {
  std::string result{line};
  for (char& byte : result) {
    const auto code = static_cast<unsigned char>(byte);
    if (code == '\t') byte = ' ';
    if (code != '\t' && (code < 0x20 || code == 0x7f)) byte = '?';
  }
  return result;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blank = " \t\r";
  const std::size_t first = line.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blank) - first + 1);
}

}  // namespace

void TailBuffer::append(std::string_view bytes) {
  if (bytes.size() > limit_) bytes.remove_prefix(bytes.size() - limit_);
  const std::size_t growing = std::min(bytes.size(), limit_ - ring_.size());
  ring_.append(bytes.substr(0, growing));
  bytes.remove_prefix(growing);
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), limit_ - next_);
    std::copy_n(bytes.begin(), count, ring_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = (next_ + count) % limit_;
    bytes.remove_prefix(count);
  }
}

std::string TailBuffer::text() const {
  return ring_.substr(next_) + ring_.substr(0, next_);
}

std::vector<std::string> message_lines(std::string_view text, std::size_t limit) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (!line.empty()) lines.push_back(printable(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (lines.size() > limit) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(limit));
  }
  return lines;
}

}  // namespace bp::stages
