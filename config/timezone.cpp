#include "config/timezone.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

namespace bp::config {

namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

Error bad_zone(std::string_view zone, std::string_view why) {
  return Error{Errc::config, fmt::format("time zone '{}': {}", zone, why),
               "Use \"UTC\", \"local\" or a name like \"Europe/Berlin\"."};
}

/// Reads big-endian numbers from a TZif file; throws std::out_of_range past its end.
class Reader {
 public:
  explicit Reader(std::string_view data) : data_{data} {}
  std::string_view take(std::size_t n) {
    const std::string_view part = data_.substr(at_, n);
    if (part.size() != n) throw std::out_of_range{"TZif"};
    at_ += n;
    return part;
  }
  template <class T>
  T number() {
    std::make_unsigned_t<T> value = 0;
    for (const char c : take(sizeof(T))) {
      value = static_cast<std::make_unsigned_t<T>>((value << 8U) | static_cast<unsigned char>(c));
    }
    return static_cast<T>(value);
  }
  std::string_view rest() const { return data_.substr(at_); }

 private:
  std::string_view data_;
  std::size_t at_ = 0;
};

struct Header {
  std::uint32_t is_ut, is_std, leaps, times, types, letters;
};

Header read_header(Reader& in) {
  if (in.take(4) != "TZif") throw std::out_of_range{"TZif"};
  (void)in.take(16);  // version and reserved bytes
  Header header{};
  header.is_ut = in.number<std::uint32_t>();
  header.is_std = in.number<std::uint32_t>();
  header.leaps = in.number<std::uint32_t>();
  header.times = in.number<std::uint32_t>();
  header.types = in.number<std::uint32_t>();
  header.letters = in.number<std::uint32_t>();
  return header;
}

std::size_t body_bytes(const Header& header, std::size_t time_bytes) {
  return header.times * (time_bytes + 1) + header.types * 6 + header.letters +
         header.leaps * (time_bytes + 4) + header.is_std + header.is_ut;
}

seconds offset_in(std::string_view file, sys_seconds moment) {
  Reader in{file};
  const Header old = read_header(in);
  (void)in.take(body_bytes(old, 4));  // the 32-bit data block of version 1
  const Header header = read_header(in);

  std::vector<std::int64_t> times(header.times);
  for (std::int64_t& time : times) time = in.number<std::int64_t>();
  const std::string_view types = in.take(header.times);
  std::vector<std::int32_t> offsets(header.types);
  for (std::int32_t& offset : offsets) {
    offset = in.number<std::int32_t>();
    (void)in.take(2);
  }
  (void)in.take(header.letters + header.leaps * 12 + header.is_std + header.is_ut);

  const std::int64_t now = moment.time_since_epoch().count();
  if (times.empty() || now >= times.back()) {
    std::string_view footer = in.rest();
    if (footer.starts_with('\n')) footer.remove_prefix(1);
    footer = footer.substr(0, footer.find('\n'));
    if (!footer.empty()) return posix_offset(footer, moment);
  }
  std::size_t type = 0;
  for (std::size_t i = 0; i < times.size() && times[i] <= now; ++i) {
    type = static_cast<unsigned char>(types[i]);
  }
  return seconds{offsets.at(type)};
}

/// A cursor over a POSIX TZ rule.
class Rule {
 public:
  explicit Rule(std::string_view text) : all_{text}, rest_{text} {}

  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  void expect(char c) {
    if (peek() != c) refuse();
    rest_.remove_prefix(1);
  }
  bool skip(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void name() {
    const bool quoted = skip('<');
    const std::size_t end = quoted ? rest_.find('>') : rest_.find_first_of("+-0123456789,");
    if (end == 0 || (quoted && end == std::string_view::npos)) refuse();
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + (quoted ? 1 : 0));
  }
  int number() {
    int value = 0;
    const auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (failure != std::errc{}) refuse();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  /// [+-]hh[:mm[:ss]]
  seconds time() {
    const bool negative = skip('-');
    if (!negative) skip('+');
    int total = number() * 3600;
    if (skip(':')) total += number() * 60;
    if (skip(':')) total += number();
    return seconds{negative ? -total : total};
  }
  [[noreturn]] void refuse() const {
    throw Error{Errc::config, fmt::format("unable to read the time zone rule '{}'", all_)};
  }

 private:
  std::string_view all_, rest_;
};

struct Change {
  int month, week, day;
  seconds time{7200};
};

Change read_change(Rule& rule) {
  rule.expect(',');
  rule.expect('M');
  Change change{};
  change.time = seconds{7200};
  change.month = rule.number();
  rule.expect('.');
  change.week = rule.number();
  rule.expect('.');
  change.day = rule.number();
  if (rule.skip('/')) change.time = rule.time();
  return change;
}

/// The local wall-clock moment of a change in a year, as if the clock were UTC.
sys_seconds moment_of(const Change& change, std::chrono::year year) {
  using namespace std::chrono;
  const month in_month{static_cast<unsigned>(change.month)};
  const weekday day{static_cast<unsigned>(change.day)};
  const sys_days date = change.week == 5
                            ? sys_days{year / in_month / day[last]}
                            : sys_days{year / in_month / day[static_cast<unsigned>(change.week)]};
  return date + change.time;
}

}  // namespace

seconds posix_offset(std::string_view text, std::chrono::system_clock::time_point moment) {
  Rule rule{text};
  rule.name();
  const seconds standard = -rule.time();
  if (rule.at_end()) return standard;
  rule.name();
  seconds summer = standard + seconds{3600};
  if (rule.peek() != ',') summer = -rule.time();
  const Change begins = read_change(rule);
  const Change ends = read_change(rule);
  if (!rule.at_end()) rule.refuse();

  const auto now = std::chrono::floor<seconds>(moment);
  const std::chrono::year year =
      std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(now + standard)}.year();
  const sys_seconds summer_begins = moment_of(begins, year) - standard;
  const sys_seconds summer_ends = moment_of(ends, year) - summer;
  const bool is_summer = summer_begins < summer_ends
                             ? now >= summer_begins && now < summer_ends
                             : now >= summer_begins || now < summer_ends;  // the southern half
  return is_summer ? summer : standard;
}

seconds zone_offset(const std::string& zone, std::chrono::system_clock::time_point moment) {
  constexpr std::string_view allowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
  if (zone.empty() || zone.front() == '/' || zone.find_first_not_of(allowed) != std::string::npos) {
    throw bad_zone(zone, "not a zone's name");
  }
  const std::filesystem::path path = "/usr/share/zoneinfo/" + zone;
  std::error_code absent;
  if (!std::filesystem::is_regular_file(path, absent))
    throw bad_zone(zone, "unknown on this machine");
  std::ifstream in{path, std::ios::binary};
  const std::string file{std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}};
  try {
    return offset_in(file, std::chrono::floor<seconds>(moment));
  } catch (const std::out_of_range&) {
    throw bad_zone(zone, "its file is damaged");
  }
}

}  // namespace bp::config
