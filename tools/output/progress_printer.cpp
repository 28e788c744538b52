#include "tools/output/progress_printer.hpp"

#include "tools/output/log.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace bp::tools {

namespace {

using namespace std::chrono_literals;

/// Rates over less than this jump about.
constexpr std::chrono::milliseconds draw_every{500};

std::chrono::milliseconds print_every(ProgressMode mode) {
  return mode == ProgressMode::plain ? 1min : 1s;
}

bool can_draw() {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && terminal != nullptr &&
         std::string_view{terminal} != "dumb";
}

}  // namespace

std::optional<ProgressMode> progress_mode(std::string_view word) {
  if (word == "auto") return can_draw() ? ProgressMode::live : ProgressMode::off;
  if (word == "live") return ProgressMode::live;
  if (word == "plain") return ProgressMode::plain;
  if (word == "json") return ProgressMode::json;
  if (word == "off") return ProgressMode::off;
  return std::nullopt;
}

ProgressPrinter::ProgressPrinter(ProgressMode mode, Expected expected)
    : mode_{mode}, expected_{std::move(expected)} {
  if (mode_ != ProgressMode::live) return;
  view_ = std::make_unique<LiveView>(STDERR_FILENO);
  log_around([view = view_.get()] { view->erase(); }, [view = view_.get()] { view->redraw(); });
}

ProgressPrinter::~ProgressPrinter() {
  if (view_) log_around({}, {});
}

void ProgressPrinter::observe(std::string_view source, const Progress& progress) {
  if (mode_ == ProgressMode::off) return;
  const auto now = Clock::now();
  auto found = sources_.find(source);
  if (found == sources_.end()) {
    std::string id{source};
    SourceProgress fresh{id, expected_(id)};
    // The first line of a printed progress comes when there is something to say.
    found = sources_.emplace(id, Shown{std::move(fresh), {}, now}).first;
  }
  Shown& shown = found->second;
  if (now - shown.last_taken < draw_every) return;
  shown.last_taken = now;
  shown.progress.take(progress);
  if (mode_ == ProgressMode::live) return draw();
  if (now - shown.last_printed < print_every(mode_)) return;
  shown.last_printed = now;
  const std::string line =
      mode_ == ProgressMode::json ? shown.progress.json() : shown.progress.plain();
  fmt::print(stderr, "{}\n", line);
}

void ProgressPrinter::finish(std::string_view source) {
  const auto found = sources_.find(source);
  if (found != sources_.end()) sources_.erase(found);
  if (mode_ == ProgressMode::live) draw();
}

void ProgressPrinter::draw() {
  std::vector<std::string> lines;
  const std::size_t width = view_->width();
  for (const auto& [id, shown] : sources_) {
    for (std::string& line : shown.progress.lines(width)) lines.push_back(std::move(line));
  }
  view_->draw(std::move(lines));
}

}  // namespace bp::tools
