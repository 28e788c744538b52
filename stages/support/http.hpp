// stages/support/http.hpp — a request and a reply of HTTP, as plain values.
//
// Protocols are pure: they turn what is wanted into an HttpRequest and an HttpResponse into facts.
// Only HttpClient moves bytes.
#pragma once

#include "engine/chunk.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bp::stages {

/// Names compare without regard to case; order is kept.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// Every value of a query, not yet percent-encoded; order does not matter.
using HttpQuery = std::vector<std::pair<std::string, std::string>>;

/// The scheme, host and port that a request goes to: "https://s3.eu-west-3.amazonaws.com",
/// "http://127.0.0.1:8080". No path, no trailing '/'.
struct HttpOrigin {
  std::string scheme;      ///< "http" or "https"
  std::string host;        ///< a name or an address; IPv6 in brackets
  std::uint16_t port = 0;  ///< 0: the scheme's own

  /// What belongs into a Host header: without the scheme's own port.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string text() const;
};

/// A body that is sent: a rope of chunks (payload, shared and never copied), or a short text.
struct HttpBody {
  std::string text;
  std::vector<Chunk> rope;  ///< used when not empty; then `text` is empty

  [[nodiscard]] std::uint64_t bytes() const noexcept;
};

struct HttpRequest {
  std::string method = "GET";
  HttpOrigin origin;
  std::string path = "/";  ///< begins with '/', not percent-encoded: "/bucket/a b.tar"
  HttpQuery query;
  HttpHeaders headers;  ///< without Host and Content-Length, which follow from the rest
  HttpBody body;

  /// The first value of a header, or nothing.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;  ///< bounded by the client; empty when it was streamed

  /// The first value of a header, or nothing.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// Percent-encoding of RFC 3986 as AWS signs it: all but A-Z a-z 0-9 - . _ ~ becomes %XX, in upper
/// case. With `keep_slash`, '/' stays, as in paths.
[[nodiscard]] std::string percent_encode(std::string_view text, bool keep_slash = false);

/// "/a%20b?partNumber=1&uploadId=x": what stands in the request line. The query is sorted and
/// encoded as SigV4 does it, so that what is sent is what was signed.
[[nodiscard]] std::string request_target(const HttpRequest& request);

/// "https://host:9000/" → origin; a path, user or fragment in it is an error. Throws
/// Errc::config with the offending text.
[[nodiscard]] HttpOrigin parse_origin(std::string_view url);

}  // namespace bp::stages
