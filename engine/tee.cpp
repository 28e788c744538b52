#include "engine/tee.hpp"

#include <utility>

namespace bp {

asio::awaitable<void> run_tee(Channel& in, std::vector<TeeLeg> legs,
                              std::function<void(std::size_t)> stalled) {
  std::vector<bool> alive(legs.size(), true);
  std::size_t living = legs.size();

  while (std::optional<Chunk> chunk = co_await in.pop()) {
    for (std::size_t i = 0; i < legs.size(); ++i) {
      if (!alive[i]) continue;
      std::optional<std::chrono::steady_clock::time_point> deadline;
      if (legs[i].max_stall) deadline = std::chrono::steady_clock::now() + *legs[i].max_stall;
      Chunk shared = *chunk;
      const Channel::Offer offer = co_await legs[i].channel->offer(std::move(shared), deadline);
      if (offer == Channel::Offer::taken) continue;
      if (offer == Channel::Offer::late) stalled(i);
      alive[i] = false;
      --living;
    }
    if (living == 0) throw Error{Errc::peer_failed, "every destination behind it has failed"};
  }
}

}  // namespace bp
