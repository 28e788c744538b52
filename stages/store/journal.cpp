#include "stages/store/journal.hpp"

#include "engine/error.hpp"
#include "stages/support/posix_file.hpp"
#include "stages/support/unique_fd.hpp"
#include "stages/support/utc_time.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace bp::stages {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_journal_bytes = std::size_t{16} << 20;
/// A journal with nothing open is rewritten once it is longer than this.
constexpr std::uint64_t tidy_bytes = 4096;

using Entries = std::map<std::uint64_t, JournalEntry>;

/// What an old journal says.
struct Past {
  Entries open;
  std::uint64_t next_id = 1;
  std::vector<std::string> damaged;
};

/// One line. Throws Errc::internal for text that JSON cannot hold (a path that is not UTF-8).
std::string line_of(const Json& event) {
  try {
    return event.dump() + '\n';
  } catch (const Json::exception& error) {
    throw Error{Errc::internal, fmt::format("unable to journal an entry: {}", error.what()),
                "Use names and paths that are valid UTF-8."};
  }
}

std::string begin_line(const JournalEntry& entry) {
  const Json line{{"event", "begin"},
                  {"id", entry.id},
                  {"run", entry.run_id},
                  {"kind", entry.kind},
                  {"owner", entry.owner},
                  {"locator", entry.locator},
                  {"time", utc_text(std::chrono::system_clock::now())}};
  return line_of(line);
}

std::string end_line(std::uint64_t id) {
  const Json line{
      {"event", "end"}, {"id", id}, {"time", utc_text(std::chrono::system_clock::now())}};
  return line_of(line);
}

/// Keeps identifiers from being used again once the entries that had them are forgotten.
std::string next_line(std::uint64_t next_id) {
  return line_of({{"event", "next"}, {"id", next_id}});
}

std::optional<std::string> text_of(const Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<JournalEntry> entry_of(const Json& line, std::uint64_t id) {
  const auto run = text_of(line, "run"), kind = text_of(line, "kind");
  const auto owner = text_of(line, "owner"), locator = text_of(line, "locator");
  if (!run || !kind || !owner || !locator) return std::nullopt;
  return JournalEntry{id, *run, *kind, *owner, *locator};
}

/// Applies one line to what is known. False: it makes no sense.
bool apply(std::string_view text, Past& past) {
  const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) return false;
  const auto number = line.find("id");
  const std::optional<std::string> event = text_of(line, "event");
  if (!event || number == line.end() || !number->is_number_unsigned()) return false;
  const auto id = number->get<std::uint64_t>();
  if (*event == "next") {
    past.next_id = std::max(past.next_id, id);
    return true;
  }
  past.next_id = std::max(past.next_id, id + 1);
  if (*event == "end") {
    past.open.erase(id);
    return true;
  }
  const std::optional<JournalEntry> entry = *event == "begin" ? entry_of(line, id) : std::nullopt;
  if (entry) past.open.insert_or_assign(id, *entry);
  return entry.has_value();
}

Past read_past(std::string_view text) {
  Past past;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const bool torn = end == std::string_view::npos;
    // A torn line was never acknowledged: what it would have announced was not created.
    if (!apply(line, past) && !torn) past.damaged.emplace_back(line);
    if (torn) break;
    text.remove_prefix(end + 1);
  }
  return past;
}

}  // namespace

struct Journal::State {
  State(std::filesystem::path path, std::string run)
      : file{std::move(path)}, run_id{std::move(run)} {}

  const std::filesystem::path file;
  const std::string run_id;
  mutable std::mutex mutex;
  Entries open;
  std::uint64_t next_id = 1;
  std::vector<std::string> damaged;
  UniqueFd out;
  std::uint64_t length = 0;
  std::optional<Error> broken;  ///< after a failed fsync nobody knows what the disk holds

  /// Replaces the file by one that holds nothing but the open entries, and continues there.
  void compact() {
    std::string text = next_line(next_id);
    for (const auto& [id, entry] : open) text += begin_line(entry);
    replace_file(file, text);
    out = UniqueFd{::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
    if (!out) {
      broken = file_error(Errc::internal, "open", file, errno);
      throw Error{*broken};
    }
    length = text.size();
  }

  void append(const std::string& line) {
    if (broken) throw Error{*broken};
    int reason = write_all(out.get(), std::as_bytes(std::span{line}));
    if (reason != 0) {
      // Half a line in the middle would spoil the next one.
      if (::ftruncate(out.get(), static_cast<off_t>(length)) != 0) {
        broken = file_error(Errc::internal, "mend", file, errno);
      }
      throw file_error(Errc::internal, "write", file, reason);
    }
    length += line.size();
    reason = sync_file(out.get());
    if (reason == 0) return;
    broken = file_error(Errc::internal, "sync", file, reason);
    throw Error{*broken};
  }
};

Journal::Journal(std::filesystem::path file, std::string run_id)
    : state_{std::make_unique<State>(std::move(file), std::move(run_id))} {
  const std::string text = read_small_file(state_->file, max_journal_bytes).value_or("");
  Past past = read_past(text);
  if (!past.damaged.empty()) {
    std::filesystem::path aside = state_->file;
    aside += ".damaged-" + utc_text(std::chrono::system_clock::now());
    replace_file(aside, text);
  }
  state_->open = std::move(past.open);
  state_->next_id = past.next_id;
  state_->damaged = std::move(past.damaged);
  state_->compact();
}

Journal::~Journal() = default;

std::uint64_t Journal::begin(std::string kind, std::string owner, std::string locator) {
  const std::lock_guard lock{state_->mutex};
  if (state_->open.empty() && state_->length > tidy_bytes) state_->compact();
  const std::uint64_t id = state_->next_id;
  JournalEntry entry{id, state_->run_id, std::move(kind), std::move(owner), std::move(locator)};
  state_->append(begin_line(entry));
  ++state_->next_id;
  state_->open.emplace(id, std::move(entry));
  return id;
}

void Journal::end(std::uint64_t id) {
  const std::lock_guard lock{state_->mutex};
  if (!state_->open.contains(id)) return;
  state_->append(end_line(id));
  state_->open.erase(id);
}

std::vector<JournalEntry> Journal::open_entries() const {
  const std::lock_guard lock{state_->mutex};
  std::vector<JournalEntry> entries;
  for (const auto& [id, entry] : state_->open) entries.push_back(entry);
  return entries;
}

std::vector<std::string> Journal::damaged_lines() const {
  const std::lock_guard lock{state_->mutex};
  return state_->damaged;
}

}  // namespace bp::stages
