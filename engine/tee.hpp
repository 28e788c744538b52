// engine/tee.hpp — one stream to several consumers, shared by reference, at the slowest leg's pace.
#pragma once

#include "engine/channel.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace bp {

struct TeeLeg {
  Channel* channel;
  std::optional<std::chrono::milliseconds> max_stall;
};

/// Copies `in` to every living leg. A dead leg is cut and the others go on; when all are dead it
/// throws Errc::peer_failed. A leg that stays full longer than its max_stall is reported through
/// `stalled` (leg index), which must void it. I/O thread.
[[nodiscard]] asio::awaitable<void> run_tee(Channel& in, std::vector<TeeLeg> legs,
                                            std::function<void(std::size_t)> stalled);

}  // namespace bp
