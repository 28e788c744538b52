// bench/http_sink_server.hpp — an S3 endpoint that reads, counts and forgets: what an uploader can
// do at most.
//
// HTTP/1.1 on a port of 127.0.0.1, plain, path-style. It checks no signature and hashes nothing: an
// ETag is the Content-MD5 that came with the part, and checksums are handed back as they were sent.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace bp::bench {

/// What was asked of the server; written by its thread, read by any.
struct HttpSinkCounters {
  std::atomic<std::uint64_t> body_bytes{0};
  std::atomic<std::uint64_t> requests{0}, parts{0}, completed{0}, aborted{0};
};

/// Listens from its construction until its destruction, on a thread of its own. Answers
/// CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload, PutObject,
/// HeadObject (of what was stored through it) and DeleteObject; anything else gets 501.
class HttpSinkServer {
 public:
  /// Port 0: any free one. Throws Errc::internal when it cannot listen.
  explicit HttpSinkServer(std::uint16_t port = 0);
  HttpSinkServer(const HttpSinkServer&) = delete;
  HttpSinkServer& operator=(const HttpSinkServer&) = delete;
  ~HttpSinkServer();  ///< drops the connections that are open

  [[nodiscard]] std::string url() const;  ///< "http://127.0.0.1:34567"
  [[nodiscard]] const HttpSinkCounters& counters() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::thread thread_;
};

}  // namespace bp::bench
