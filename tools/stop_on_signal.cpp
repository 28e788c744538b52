#include "tools/stop_on_signal.hpp"

#include <spdlog/spdlog.h>

#include <string.h>

#include <csignal>
#include <cstdlib>

namespace bp::tools {

StopOnSignal::StopOnSignal(boost::asio::io_context& io) : signals_{io, SIGINT, SIGTERM, SIGHUP} {
  listen();
}

void StopOnSignal::listen() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int number) {
    if (cancelled) return;
    if (number_ != 0) std::_Exit(128 + number);
    number_ = number;
    spdlog::warn("stopping: {} (once more ends at once)", ::sigdescr_np(number));
    stop_.request_stop();
    listen();
  });
}

}  // namespace bp::tools
