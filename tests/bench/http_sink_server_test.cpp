#include "bench/http_sink_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace bp::bench {
namespace {

namespace asio = boost::asio;
using testing::StartsWith;

/// One connection to the server.
class Client {
 public:
  explicit Client(const std::string& url) {
    const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }
  void send(const std::string& text) { asio::write(socket_, asio::buffer(text)); }
  /// The head of the next reply.
  std::string reply() {
    const std::size_t end = asio::read_until(socket_, asio::dynamic_buffer(unread_), "\r\n\r\n");
    std::string head = unread_.substr(0, end);
    unread_.erase(0, end);
    return head;
  }

 private:
  asio::io_context io_;
  asio::ip::tcp::socket socket_{io_};
  std::string unread_;
};

TEST(HttpSinkServer, CountsBodiesOnOneConnection) {
  const HttpSinkServer server;
  Client client{server.url()};
  const std::string body(3'000'000, 'x');
  for (int i = 0; i < 2; ++i) {
    client.send("PUT /b/k HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n" + body);
    EXPECT_THAT(client.reply(), StartsWith("HTTP/1.1 200 OK"));
  }
  EXPECT_EQ(server.counters().body_bytes, 2 * body.size());
  EXPECT_EQ(server.counters().requests, 2U);
}

TEST(HttpSinkServer, AsksForTheBodyOfAClientThatWaits) {
  const HttpSinkServer server;
  Client client{server.url()};
  client.send("PUT /b/k HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.reply(), StartsWith("HTTP/1.1 100"));
  client.send("hello");
  EXPECT_THAT(client.reply(), StartsWith("HTTP/1.1 200"));
}

TEST(HttpSinkServer, SurvivesClientsThatTalkRubbishOrHangUp) {
  const HttpSinkServer server;
  Client{server.url()}.send("rubbish\r\n\r\n");
  Client{server.url()}.send("PUT /b/k HTTP/1.1\r\nContent-Length: 1000\r\n\r\nonly so much");

  Client client{server.url()};
  client.send("HEAD /b/k HTTP/1.1\r\n\r\n");

  EXPECT_THAT(client.reply(), StartsWith("HTTP/1.1 404"));
}

}  // namespace
}  // namespace bp::bench
