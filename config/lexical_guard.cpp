#include "config/lexical_guard.hpp"

#include "config/diagnostics.hpp"
#include "engine/error.hpp"

#include <fmt/format.h>

#include <memory>

namespace bp::config {

namespace {

constexpr int most_per_line = 32;
constexpr int most_dots_anywhere = 1024;

/// Walks over the text byte by byte, knowing just enough of TOML to tell strings and comments from
/// the rest.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& name) : text_{text}, name_{name} {}

  void scan() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      look_at(c);
      if (c == '\n') {
        next_line();
      } else if (c == '#') {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        count(c);
        ++at_;
      }
    }
  }

 private:
  [[noreturn]] void refuse(std::string message) const {
    const Location where{.file = std::make_shared<const std::string>(name_),
                         .line = line_,
                         .column = static_cast<std::uint32_t>(at_ - line_start_ + 1)};
    throw Error{Errc::config, fmt::format("{}: {}", where.text(), message)};
  }

  /// What holds for every byte, also within strings and comments.
  void look_at(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 ? byte == 0x7F : (c != '\n' && c != '\t' && c != '\r')) {
      refuse(fmt::format("control character 0x{:02X}", byte));
    }
    if (c == '.' && ++dots_anywhere_ > most_dots_anywhere)
      refuse("more than 1024 dots on one line");
  }

  void next_line() {
    ++at_;
    ++line_;
    line_start_ = at_;
    dots_ = brackets_ = dots_anywhere_ = 0;
  }

  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') {
      look_at(text_[at_]);
      ++at_;
    }
  }

  void skip_string(char quote) {
    const std::string_view triple = quote == '"' ? R"(""")" : "'''";
    const bool multi_line = text_.substr(at_, 3) == triple;
    at_ += multi_line ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      look_at(c);
      if (c == '\\' && quote == '"' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
        look_at(text_[at_ + 1]);
        at_ += 2;
        continue;
      }
      if (c == '\n') {
        if (!multi_line) return;  // an unclosed string: the parser says it better
        next_line();
        continue;
      }
      if (multi_line ? text_.substr(at_, 3) == triple : c == quote) {
        at_ += multi_line ? 3 : 1;
        // """x""""" ends in two quotes of its own: they open no further string.
        for (int own = 0; multi_line && own < 2 && text_.substr(at_, 1) == triple.substr(0, 1);
             ++own)
          ++at_;
        return;
      }
      ++at_;
    }
  }

  void count(char c) {
    if (c == '.' && ++dots_ > most_per_line) refuse("more than 32 dots on one line");
    if (c == '[' || c == '{') {
      if (++brackets_ > most_per_line) refuse("more than 32 brackets on one line");
      if (++depth_ > most_per_line) refuse("more than 32 brackets open at once");
    }
    if ((c == ']' || c == '}') && depth_ > 0) --depth_;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0, line_start_ = 0;
  std::uint32_t line_ = 1;
  int dots_ = 0, brackets_ = 0, depth_ = 0, dots_anywhere_ = 0;
};

}  // namespace

void guard_toml(std::string_view text, const std::string& name) {
  if (text.size() > max_job_file_bytes) {
    throw Error{Errc::config,
                fmt::format("{}: larger than {} KiB", name, max_job_file_bytes >> 10)};
  }
  Scanner{text, name}.scan();
}

}  // namespace bp::config
