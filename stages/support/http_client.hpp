// stages/support/http_client.hpp — requests over libcurl's multi socket interface, on the I/O
// thread.
//
// Connections are kept and used again; TLS is at least 1.2 and verified; no redirect is followed;
// no proxy is taken from the environment; `Expect: 100-continue` is off; a connection that turned
// stale is replaced without a word (FAULTS A12). What the client cannot know is said: an error
// carries whether the request may have been carried out.
#pragma once

#include "engine/stage.hpp"
#include "stages/support/http.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace bp::stages {

struct HttpSettings {
  std::string ca_file;  ///< PEM bundle; empty: the system's
  std::string proxy;    ///< "http://proxy:3128"; empty: none, whatever the environment says
  std::chrono::seconds connect_limit{20};  ///< name, TCP and TLS together
  std::chrono::seconds stall_limit{60};    ///< no byte either way for so long ends a request
  std::size_t max_reply_bytes = std::size_t{1} << 20;  ///< a body that is kept in memory
  std::size_t max_header_bytes = std::size_t{64} << 10;
  std::size_t max_connections = 8;
};

/// What a request that got no whole reply ended with.
class HttpFailure : public Error {
 public:
  enum class Outcome : std::uint8_t {
    not_sent,  ///< the server has certainly not acted: no connection, refused TLS
    unknown    ///< it may have: the reply was lost, cut or too big
  };
  HttpFailure(Errc code, std::string message, Outcome outcome, bool worth_retrying,
              std::string hint = {});
  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
  /// False: asking again gives the same (certificate refused, unknown host, reply too big).
  [[nodiscard]] bool worth_retrying() const noexcept { return worth_retrying_; }

 private:
  Outcome outcome_;
  bool worth_retrying_;
};

/// I/O thread only. Requests may run side by side; each is one coroutine. Cancelling the coroutine
/// ends the request and closes its connection. Destroy it when no request is under way.
class HttpClient {
 public:
  HttpClient(asio::any_io_executor io, HttpSettings settings);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  /// Any status is a reply; only its absence throws (HttpFailure, Errc::destination or
  /// Errc::timeout). `request` must live until the call is done.
  [[nodiscard]] asio::awaitable<HttpResponse> send(const HttpRequest& request);

  /// As send(), on a connection of its own that is closed afterwards: for clean-up, when what is
  /// wrong may be the connection (FAULTS A16).
  [[nodiscard]] asio::awaitable<HttpResponse> send_on_fresh_connection(const HttpRequest& request);

  /// As send(), but the body of a 2xx reply goes to `out` in chunks as it arrives; back-pressure
  /// reaches the server. The returned response has an empty body then. Throws HttpFailure (unknown)
  /// when the connection ends before Content-Length bytes came; what was pushed stays pushed, and
  /// `received` always holds how much that was.
  [[nodiscard]] asio::awaitable<HttpResponse> receive(const HttpRequest& request, Outlet& out,
                                                      std::uint64_t& received);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace bp::stages
