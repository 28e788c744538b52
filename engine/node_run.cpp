#include "engine/node_run.hpp"

#include <fmt/format.h>

#include <utility>

namespace bp::detail {

std::string in_seconds(std::chrono::milliseconds time) {
  return fmt::format("{} s", std::chrono::duration<double>{time}.count());
}

NodeRun::NodeRun(const Graph::Node& node, RunResources resources)
    : node_{&node}, resources_{std::move(resources)} {}

void NodeRun::note(std::string key, std::string value) {
  const std::lock_guard lock{mutex_};
  told_.notes.insert_or_assign(std::move(key), std::move(value));
}

void NodeRun::warn(std::string text, std::vector<std::string> lines) {
  const std::lock_guard lock{mutex_};
  told_.warnings.push_back({node_->name, std::move(text), std::move(lines)});
}

void NodeRun::add_cpu(std::chrono::nanoseconds used) {
  const std::lock_guard lock{mutex_};
  told_.cpu += used;
}

NodeRun::Told NodeRun::told() const {
  const std::lock_guard lock{mutex_};
  return told_;
}

void NodeRun::ask_to_end() {
  asked = true;
  stop_.request_stop();
  cancel.emit(asio::cancellation_type::terminal);
}

}  // namespace bp::detail
