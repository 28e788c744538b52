// tools/stop_on_signal.hpp — SIGINT, SIGTERM and SIGHUP: the first asks the run to stop, the second
// ends us.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <stop_token>

namespace bp::tools {

/// I/O thread only. While it listens the io_context has work: end() lets it run dry.
class StopOnSignal {
 public:
  explicit StopOnSignal(boost::asio::io_context& io);

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  /// The signal that came first, or 0.
  [[nodiscard]] int number() const noexcept { return number_; }
  void end() { signals_.cancel(); }

 private:
  void listen();

  boost::asio::signal_set signals_;
  std::stop_source stop_;
  int number_ = 0;
};

}  // namespace bp::tools
