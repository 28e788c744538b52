// bench/s3_replies.hpp — what the discarding S3 endpoint answers: requests in, replies out, no
// sockets.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bp::bench {

/// The head of a request. Header names are in lower case.
struct S3Request {
  std::string method, path, query;
  std::map<std::string, std::string, std::less<>> headers;

  [[nodiscard]] std::string header(std::string_view name) const;  ///< empty: not there
  /// Empty for a parameter without a value as well; see has_parameter().
  [[nodiscard]] std::string parameter(std::string_view name) const;
  [[nodiscard]] bool has_parameter(std::string_view name) const;
};

/// Parses everything up to and including the empty line. Throws Errc::internal for what is no
/// HTTP/1.1.
[[nodiscard]] S3Request parse_request(std::string_view head);

/// What the endpoint remembers: lengths, never bytes. One thread.
class S3Memory {
 public:
  enum class Event : std::uint8_t { none, part, completed, aborted };
  struct Reply {
    std::string text;  ///< status line, headers and body
    Event event = Event::none;
  };
  /// The whole reply to a request whose body had `body_bytes` bytes.
  [[nodiscard]] Reply answer(const S3Request& request, std::uint64_t body_bytes);

 private:
  struct Upload {
    std::string path;
    std::map<int, std::uint64_t> parts;  ///< by number: a part sent again replaces the first
  };
  [[nodiscard]] Reply complete(const S3Request& request);

  std::map<std::string, Upload, std::less<>> uploads_;
  std::map<std::string, std::uint64_t, std::less<>> objects_;
  std::uint64_t next_upload_ = 1;
};

}  // namespace bp::bench
