#include "tools/output/progress.hpp"

#include "config/units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace bp::tools {

namespace {

using Seconds = std::chrono::duration<double>;

double per_second(std::uint64_t before, std::uint64_t now, Seconds time) {
  return time.count() <= 0 ? 0 : static_cast<double>(now - before) / time.count();
}

double share(std::chrono::nanoseconds before, std::chrono::nanoseconds now, Seconds time) {
  return time.count() <= 0 ? 0 : std::clamp(Seconds{now - before} / time, 0.0, 1.0);
}

StageRates& stage_of(std::vector<StageRates>& stages, const std::string& name) {
  const auto known = std::ranges::find(stages, name, &StageRates::name);
  if (known != stages.end()) return *known;
  StageRates added;
  added.name = name;
  return stages.emplace_back(std::move(added));
}

std::string megabytes(const std::optional<double>& rate) {
  return rate ? fmt::format("{:.1f}", *rate / 1e6) : "-";
}

/// "[####----]"
std::string bar(const StageRates& stage) {
  constexpr std::size_t cells = 8;
  if (!stage.slots || *stage.slots == 0) return std::string(cells + 2, ' ');
  const std::size_t full = std::min(cells, (*stage.fill * cells + *stage.slots - 1) / *stage.slots);
  return fmt::format("[{:#<{}}{:-<{}}]", "", full, "", cells - full);
}

std::string clock(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  return seconds < 3600
             ? fmt::format("{}:{:02}", seconds / 60, seconds % 60)
             : fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace

double StageRates::busy() const {
  return std::clamp(1 - waits_for_input - waits_for_room, 0.0, 1.0);
}

SourceProgress::SourceProgress(std::string id, std::optional<std::uint64_t> expected_bytes)
    : id_{std::move(id)}, expected_{expected_bytes} {}

void SourceProgress::take(const Progress& now) {
  const bool comparable = before_ && before_->edges.size() == now.edges.size();
  const Seconds time{comparable ? now.elapsed - before_->elapsed : now.elapsed};
  elapsed_ = now.elapsed;
  stages_.clear();
  read_ = stored_ = 0;
  for (std::size_t i = 0; i < now.edges.size(); ++i) {
    const Progress::Edge& edge = now.edges[i];
    const Progress::Edge none{};
    const Progress::Edge& old = comparable ? before_->edges[i] : none;
    StageRates& from = stage_of(stages_, edge.from);
    const double pushed = per_second(old.bytes_pushed, edge.bytes_pushed, time);
    from.out = std::max(from.out.value_or(0), pushed);  // a tee gives the same to each leg
    from.waits_for_room += share(old.push_blocked, edge.push_blocked, time);
    StageRates& to = stage_of(stages_, edge.to);
    to.in = per_second(old.bytes_popped, edge.bytes_popped, time);
    to.waits_for_input = share(old.pop_blocked, edge.pop_blocked, time);
    to.fill = edge.fill;
    to.slots = edge.slots;
  }
  for (const Progress::Edge& edge : now.edges) {
    const StageRates& from = stage_of(stages_, edge.from);
    const StageRates& to = stage_of(stages_, edge.to);
    if (!from.in) read_ = std::max(read_, edge.bytes_pushed);
    if (!to.out) stored_ = std::max(stored_, edge.bytes_popped);
  }
  before_ = now;
}

const StageRates* SourceProgress::limiting() const noexcept {
  const auto busiest = std::ranges::max_element(stages_, {}, &StageRates::busy);
  return busiest == stages_.end() ? nullptr : &*busiest;
}

std::optional<std::chrono::seconds> SourceProgress::remaining() const {
  if (!expected_ || read_ == 0 || read_ >= *expected_) return std::nullopt;
  const double left = static_cast<double>(*expected_ - read_) / static_cast<double>(read_);
  return std::chrono::duration_cast<std::chrono::seconds>(Seconds{elapsed_} * left);
}

std::vector<std::string> SourceProgress::lines(std::size_t width) const {
  std::string head = fmt::format("{}  {}  {} read, {} stored", id_, clock(elapsed_),
                                 config::format_bytes(read_), config::format_bytes(stored_));
  if (stored_ > 0 && read_ > stored_) {
    head += fmt::format(" ({:.1f}:1)", static_cast<double>(read_) / static_cast<double>(stored_));
  }
  if (const auto left = remaining()) {
    head += fmt::format(", about {} left", config::format_duration(*left));
  }
  std::vector<std::string> lines{fit(head, width)};
  const StageRates* const slowest = limiting();
  std::size_t name_width = 8;
  for (const StageRates& stage : stages_) {
    name_width = std::clamp(stage.name.size(), name_width, std::size_t{24});
  }
  for (const StageRates& stage : stages_) {
    lines.push_back(
        fit(fmt::format("{} {:<{}.{}} {} {:>8} in {:>8} out MB/s  busy {:3.0f} %  waits: input "
                        "{:3.0f} %, room {:3.0f} %",
                        &stage == slowest ? ">" : " ", stage.name, name_width, name_width,
                        bar(stage), megabytes(stage.in), megabytes(stage.out), 100 * stage.busy(),
                        100 * stage.waits_for_input, 100 * std::min(stage.waits_for_room, 1.0)),
            width));
  }
  return lines;
}

std::string SourceProgress::plain() const {
  const Seconds time{elapsed_};
  const StageRates* const slowest = limiting();
  std::string text =
      fmt::format("{}: {} read, {} stored in {}, {:.1f} MB/s", id_, config::format_bytes(read_),
                  config::format_bytes(stored_), clock(elapsed_),
                  time.count() > 0 ? static_cast<double>(read_) / time.count() / 1e6 : 0);
  if (slowest != nullptr) text += fmt::format(", limited by {}", slowest->name);
  if (const auto left = remaining()) {
    text += fmt::format(", about {} left", config::format_duration(*left));
  }
  return text;
}

std::string SourceProgress::json() const {
  using Json = nlohmann::ordered_json;
  Json stages = Json::array();
  for (const StageRates& stage : stages_) {
    Json one{{"name", stage.name}};
    if (stage.in) one["in_bytes_per_s"] = *stage.in;
    if (stage.out) one["out_bytes_per_s"] = *stage.out;
    one["busy"] = stage.busy();
    one["waits_for_input"] = stage.waits_for_input;
    one["waits_for_room"] = std::min(stage.waits_for_room, 1.0);
    if (stage.slots) {
      one["queue_chunks"] = *stage.fill;
      one["queue_slots"] = *stage.slots;
    }
    stages.push_back(std::move(one));
  }
  Json all{{"source", id_},
           {"elapsed_s", Seconds{elapsed_}.count()},
           {"bytes_read", read_},
           {"bytes_stored", stored_}};
  if (const auto left = remaining()) all["remaining_s"] = left->count();
  if (const StageRates* const slowest = limiting()) all["limited_by"] = slowest->name;
  all["stages"] = std::move(stages);
  return all.dump();
}

std::string fit(std::string_view text, std::size_t width) {
  const auto begins_code_point = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  };
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!begins_code_point(text[i])) continue;
    if (columns == width) return std::string{text.substr(0, i)};
    ++columns;
  }
  return std::string{text};
}

}  // namespace bp::tools
