#include "stages/sources/mysql_rights.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace bp::stages {

namespace {

/// Takes `word` from the front of `text`, if it is there.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

/// Takes "*" (as an empty name) or a name in backquotes.
std::optional<std::string> take_name(std::string_view& text) {
  if (take(text, "*")) return std::string{};
  if (!take(text, "`")) return std::nullopt;
  std::string name;
  while (!text.empty()) {
    if (take(text, "``")) {
      name += '`';
    } else if (take(text, "`")) {
      return name;
    } else {
      name += text.front();
      text.remove_prefix(1);
    }
  }
  return std::nullopt;
}

/// The end of the list of rights: the first " ON " that is not within a column's name.
std::size_t end_of_rights(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`') quoted = !quoted;
    if (!quoted && text.substr(i).starts_with(" ON ")) return i;
  }
  return std::string_view::npos;
}

/// Rights on some columns only are left out: they do not dump a table.
std::vector<std::string> split_rights(std::string_view text) {
  std::vector<std::string> rights;
  std::string word;
  int depth = 0;
  bool of_columns = false;
  const auto end_word = [&] {
    if (!word.empty() && !of_columns) rights.push_back(word);
    word.clear();
    of_columns = false;
  };
  for (const char c : text) {
    if (c == '(') {
      ++depth;
      of_columns = true;
    } else if (c == ')') {
      --depth;
    } else if (c == ',' && depth == 0) {
      end_word();
    } else if (depth == 0 && (c != ' ' || !word.empty())) {
      word += c;
    }
  }
  end_word();
  return rights;
}

bool has(const Grant& grant, std::string_view right) {
  return std::ranges::any_of(grant.rights, [right](const auto& held) {
    return held == right || held == "ALL PRIVILEGES" || held == "ALL";
  });
}

/// SQL's LIKE with '%', '_' and a backslash that takes their meaning away. After a '%' only the
/// last one is ever tried again, so the time is bounded by the product of the lengths.
bool is_like(std::string_view name, std::string_view pattern) {
  std::size_t at = 0, next = 0;
  std::size_t retry_at = 0, retry_next = std::string_view::npos;
  while (at < name.size()) {
    if (next < pattern.size() && pattern[next] == '%') {
      retry_at = at;
      retry_next = ++next;
      continue;
    }
    const bool escaped = next + 1 < pattern.size() && pattern[next] == '\\';
    const std::size_t letter = escaped ? next + 1 : next;
    if (letter < pattern.size() &&
        (pattern[letter] == name[at] || (!escaped && pattern[letter] == '_'))) {
      ++at;
      next = letter + 1;
      continue;
    }
    if (retry_next == std::string_view::npos) return false;
    at = ++retry_at;
    next = retry_next;
  }
  return pattern.find_first_not_of('%', next) == std::string_view::npos;
}

}  // namespace

void MysqlRights::add(std::string_view line) {
  if (!take(line, "GRANT ")) return;
  const std::size_t end = end_of_rights(line);
  if (end == std::string_view::npos) return;  // a role, whose own grants have lines of their own
  Grant grant{.rights = split_rights(line.substr(0, end)), .database = {}, .table = {}};
  line.remove_prefix(end + std::string_view{" ON "}.size());
  auto database = take_name(line);
  if (!database || !take(line, ".")) return;
  auto table = take_name(line);
  if (!table) return;
  grant.database = std::move(*database);
  grant.table = std::move(*table);
  grants_.push_back(std::move(grant));
}

bool MysqlRights::on_all(std::string_view right) const {
  return std::ranges::any_of(
      grants_, [right](const Grant& grant) { return grant.database.empty() && has(grant, right); });
}

bool MysqlRights::on_database(std::string_view right, std::string_view database) const {
  return on_all(right) || std::ranges::any_of(grants_, [&](const Grant& grant) {
           return grant.table.empty() && has(grant, right) && is_like(database, grant.database);
         });
}

bool MysqlRights::on_table(std::string_view right, std::string_view database,
                           std::string_view table) const {
  return on_database(right, database) || std::ranges::any_of(grants_, [&](const Grant& grant) {
           return grant.database == database && grant.table == table && has(grant, right);
         });
}

}  // namespace bp::stages
