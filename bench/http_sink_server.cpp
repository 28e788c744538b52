#include "bench/http_sink_server.hpp"

#include "bench/s3_replies.hpp"
#include "engine/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace bp::bench {

namespace asio = boost::asio;
using asio::ip::tcp;

struct HttpSinkServer::State {
  explicit State(std::uint16_t port)
      : acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), port}} {}

  asio::awaitable<void> accept();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> skip(tcp::socket& socket, std::string& unread, std::uint64_t bytes);
  void count(const S3Memory::Reply& reply, std::uint64_t body_bytes);

  asio::io_context io{1};
  tcp::acceptor acceptor;
  S3Memory memory;
  HttpSinkCounters counters;
};

namespace {

constexpr std::size_t longest_head = 64 << 10U;
constexpr std::size_t read_at_once = std::size_t{1} << 20U;

std::uint64_t length_of(const S3Request& request) {
  const std::string text = request.header("content-length");
  std::uint64_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

}  // namespace

asio::awaitable<void> HttpSinkServer::State::accept() {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    socket.set_option(tcp::no_delay{true});
    // A connection ends by an exception: the client hung up. That is its right and nobody's news.
    auto connection = serve(std::move(socket));
    asio::co_spawn(io, std::move(connection), asio::detached);
  }
}

asio::awaitable<void> HttpSinkServer::State::serve(tcp::socket socket) {
  std::string unread;
  for (;;) {
    auto into = asio::dynamic_buffer(unread, longest_head);
    const std::size_t head =
        co_await asio::async_read_until(socket, into, "\r\n\r\n", asio::use_awaitable);
    const S3Request request = parse_request(std::string_view{unread}.substr(0, head));
    unread.erase(0, head);
    if (!request.header("transfer-encoding").empty()) {
      const std::string refusal = "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n";
      co_await asio::async_write(socket, asio::buffer(refusal), asio::use_awaitable);
      co_return;
    }
    if (!request.header("expect").empty()) {
      const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(socket, asio::buffer(go_on), asio::use_awaitable);
    }
    const std::uint64_t length = length_of(request);
    co_await skip(socket, unread, length);
    const S3Memory::Reply reply = memory.answer(request, length);
    count(reply, length);
    co_await asio::async_write(socket, asio::buffer(reply.text), asio::use_awaitable);
  }
}

asio::awaitable<void> HttpSinkServer::State::skip(tcp::socket& socket, std::string& unread,
                                                  std::uint64_t bytes) {
  const std::uint64_t there = std::min<std::uint64_t>(unread.size(), bytes);
  unread.erase(0, static_cast<std::size_t>(there));
  std::vector<char> rubbish(static_cast<std::size_t>(std::min<std::uint64_t>(read_at_once, bytes)));
  for (std::uint64_t left = bytes - there; left > 0;) {
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(rubbish.size(), left));
    const auto space = asio::buffer(rubbish.data(), room);
    left -= co_await socket.async_read_some(space, asio::use_awaitable);
  }
}

void HttpSinkServer::State::count(const S3Memory::Reply& reply, std::uint64_t body_bytes) {
  ++counters.requests;
  counters.body_bytes += body_bytes;
  switch (reply.event) {
    case S3Memory::Event::part:
      ++counters.parts;
      break;
    case S3Memory::Event::completed:
      ++counters.completed;
      break;
    case S3Memory::Event::aborted:
      ++counters.aborted;
      break;
    case S3Memory::Event::none:
      break;
  }
}

HttpSinkServer::HttpSinkServer(std::uint16_t port) try : state_{std::make_unique<State>(port)} {
  asio::co_spawn(state_->io, state_->accept(), asio::detached);
  thread_ = std::thread{[this] { state_->io.run(); }};
} catch (const boost::system::system_error& error) {
  throw Error{Errc::internal,
              fmt::format("unable to listen at 127.0.0.1:{}: {}", port, error.code().message())};
}

HttpSinkServer::~HttpSinkServer() {
  state_->io.stop();
  thread_.join();
}

std::string HttpSinkServer::url() const {
  return fmt::format("http://127.0.0.1:{}", state_->acceptor.local_endpoint().port());
}

const HttpSinkCounters& HttpSinkServer::counters() const noexcept {
  return state_->counters;
}

}  // namespace bp::bench
