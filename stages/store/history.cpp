#include "stages/store/history.hpp"

#include "stages/support/posix_file.hpp"
#include "stages/support/utc_time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace bp::stages {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_history_bytes = std::size_t{16} << 20;

std::optional<Outcome> parse_outcome(const std::string& word) {
  for (const Outcome outcome : {Outcome::stored, Outcome::stored_with_warnings,
                                Outcome::partly_stored, Outcome::failed, Outcome::cancelled}) {
    if (to_string(outcome) == word) return outcome;
  }
  return std::nullopt;
}

std::string line_of(const SizeRecord& record) {
  const Json line{{"run", record.run_id},
                  {"source", record.source_id},
                  {"ended", utc_text(record.ended)},
                  {"raw_bytes", record.raw_bytes},
                  {"stored_bytes", Json(record.stored_bytes)},
                  {"outcome", to_string(record.outcome)}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// Empty for a line that is torn or foreign.
std::optional<SizeRecord> parse_line(std::string_view text) {
  const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    const auto ended = parse_utc(line.at("ended").get<std::string>());
    const auto outcome = parse_outcome(line.at("outcome").get<std::string>());
    if (!ended || !outcome) return std::nullopt;
    return SizeRecord{line.at("run"),       line.at("source"),       *ended,
                      line.at("raw_bytes"), line.at("stored_bytes"), *outcome};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

bool SizeRecord::good() const noexcept {
  return outcome == Outcome::stored || outcome == Outcome::stored_with_warnings;
}

History::History(std::filesystem::path file, std::size_t max_records)
    : file_{std::move(file)}, max_records_{max_records} {
  const std::string text = read_small_file(file_, max_history_bytes).value_or("");
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
    if (std::optional<SizeRecord> record = parse_line(rest.substr(0, end + 1))) {
      records_.push_back(std::move(*record));
    }
    rest.remove_prefix(end + 1);
  }
}

void History::add(SizeRecord record) {
  records_.push_back(std::move(record));
  forget_oldest();
  std::string text;
  for (const SizeRecord& kept : records_) text += line_of(kept);
  replace_file(file_, text);
}

void History::forget_oldest() {
  if (records_.size() <= max_records_) return;
  std::size_t surplus = records_.size() - max_records_;
  std::vector<bool> keep(records_.size(), true);
  std::set<std::string_view> has_good;
  for (std::size_t i = records_.size(); i-- > 0;) {
    const bool last_good = records_[i].good() && has_good.insert(records_[i].source_id).second;
    keep[i] = last_good;
  }
  std::vector<SizeRecord> kept;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (surplus > 0 && !keep[i]) {
      --surplus;
    } else {
      kept.push_back(std::move(records_[i]));
    }
  }
  records_ = std::move(kept);
}

std::optional<std::uint64_t> History::last_good(std::string_view source_id) const {
  for (auto record = records_.rbegin(); record != records_.rend(); ++record) {
    if (record->good() && record->source_id == source_id) return record->raw_bytes;
  }
  return std::nullopt;
}

}  // namespace bp::stages
