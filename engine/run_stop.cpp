// engine/run_stop.cpp — how stages are ended that do not end by themselves: asked, cancelled, given
// up. Part of RunState.
#include "engine/run_state.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bp::detail {

namespace {

void bring_forward(std::optional<Clock::time_point>& deadline, Clock::time_point latest) {
  deadline = deadline ? std::min(*deadline, latest) : latest;
}

}  // namespace

void RunState::listen_for_stop() {
  // The request may come from any thread; the state must not be kept alive by its own callback.
  std::function<void()> pass_on = [executor = io, weak = weak_from_this()] {
    asio::post(executor, [weak] {
      if (const auto self = weak.lock()) self->look_for_stop();
    });
  };
  on_stop_.emplace(options.stop, std::move(pass_on));
  look_for_stop();
}

void RunState::look_for_stop() {
  if (stopping_ || !options.stop.stop_requested()) return;
  stopping_ = true;
  reaper.hurry(options.hurried_grace);
  if (deciding_) {
    hurry_decision();
  } else {
    end_everything(Error{Errc::cancelled, "stopped"});
    const Clock::time_point latest = Clock::now() + options.hurried_grace;
    for (NodeRun& node : nodes) {
      if (node.running) bring_forward(node.give_up_at, latest);
    }
  }
  bell_.ring();
}

/// A commit or an abort that is under way may end well, if it does so soon.
void RunState::hurry_decision() {
  const Clock::time_point now = Clock::now();
  for (NodeRun& node : nodes) {
    if (!node.running) continue;
    if (node.late) {
      bring_forward(node.give_up_at, now + last_chance());
    } else if (const auto latest = now + options.hurried_abort; latest < node.cancel_at) {
      node.cancel_at = latest;
      node.limit.reset();
    }
  }
}

void RunState::end_everything(const Error& why) {
  for (Channel& channel : channels) channel.fail(why);
  for (NodeRun& node : nodes) {
    if (!node.returned && !node.error) node.error = why;
    ask_to_end(node);
  }
}

void RunState::ask_to_end(NodeRun& node) {
  if (!node.running || node.asked) return;
  const Clock::time_point now = Clock::now();
  node.cancel_at.reset();
  node.complain_at = now + options.stop_grace;
  node.give_up_at = now + (stopping_ ? options.hurried_grace : options.abort_deadline);
  node.ask_to_end();
  bell_.ring();
}

void RunState::keep_deadlines(Clock::time_point now) {
  for (NodeRun& node : nodes) {
    if (!node.running) continue;
    if (node.cancel_at && now >= *node.cancel_at) {
      node.cancel_at.reset();
      node.late = true;
      node.give_up_at = now + last_chance();
      node.ask_to_end();
    }
    if (node.complain_at && now >= *node.complain_at) {
      node.complain_at.reset();
      node.warn(
          fmt::format("has not stopped {} after it was asked to", in_seconds(options.stop_grace)));
    }
    if (node.give_up_at && now >= *node.give_up_at) quarantine(node);
  }
}

void RunState::quarantine(NodeRun& node) {
  node.quarantined = true;
  if (!deciding_) {
    left_behind.push_back(
        fmt::format("'{}' did not stop: what it holds may be left behind", node.name()));
  }
  end_work(node, Error{Errc::timeout, "did not stop and was given up"});
}

Clock::time_point RunState::next_deadline() const {
  Clock::time_point next = Clock::time_point::max();
  for (const NodeRun& node : nodes) {
    if (!node.running) continue;
    for (const auto& moment : {node.cancel_at, node.complain_at, node.give_up_at}) {
      if (moment) next = std::min(next, *moment);
    }
  }
  return next;
}

std::chrono::milliseconds RunState::abort_deadline() const noexcept {
  return stopping_ ? options.hurried_abort : options.abort_deadline;
}

/// How long a stage has after being cancelled at a deadline, before it is given up.
std::chrono::milliseconds RunState::last_chance() const noexcept {
  const std::chrono::milliseconds usual = std::chrono::seconds{stopping_ ? 1 : 5};
  return std::min(usual, options.abort_deadline);
}

}  // namespace bp::detail
