#include "stages/sources/mysql_survey.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace bp::stages {

namespace {

/// Text as a literal that no setting of the server can turn into something else.
std::string literal(std::string_view text) {
  std::string result = "_utf8mb4 x'";
  for (const char c : text) {
    fmt::format_to(std::back_inserter(result), "{:02x}", static_cast<unsigned char>(c));
  }
  return result + "'";
}

/// "COLUMN IN (…)"; for all databases, those that hold somebody's data.
std::string among(std::string_view column, const MysqlOptions& options) {
  if (options.databases.empty()) {
    return fmt::format("{} NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')",
                       column);
  }
  std::vector<std::string> names;
  for (const std::string& name : options.databases) names.push_back(literal(name));
  return fmt::format("{} IN ({})", column, fmt::join(names, ", "));
}

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\t') {
      fields.emplace_back();
    } else if (line[i] == '\\' && i + 1 < line.size()) {
      const char c = line[++i];
      fields.back() += c == 't' ? '\t' : c == 'n' ? '\n' : c == '0' ? '\0' : c;
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

/// What a dump needs the right for, and what it would do without.
struct Need {
  std::string_view right;
  std::string_view lacks;
  bool of_tables;  ///< may be granted on single tables, too
};

std::vector<Need> needs_of(const MysqlOptions& options, bool has_views) {
  std::vector<Need> needs{{"SELECT", "tables", true}};
  if (has_views) needs.push_back({"SHOW VIEW", "views", true});
  if (options.triggers) needs.push_back({"TRIGGER", "triggers", true});
  if (options.events) needs.push_back({"EVENT", "events", false});
  if (!options.single_transaction) needs.push_back({"LOCK TABLES", "locks", false});
  return needs;
}

bool is_granted(const Need& need, const MysqlOptions& options, const MysqlRights& rights,
                const std::string& database) {
  if (rights.on_database(need.right, database)) return true;
  return need.of_tables && !options.tables.empty() &&
         std::ranges::all_of(options.tables, [&](const auto& table) {
           return rights.on_table(need.right, database, table);
         });
}

std::string backquoted(std::string_view name) {
  std::string result = "`";
  for (const char c : name) result += c == '`' ? "``" : std::string(1, c);
  return result + "`";
}

/// The text of every routine can be read: MariaDB keeps them in a table, MySQL 8 has a right.
bool reads_all_routines(const MysqlRights& rights) {
  return rights.on_table("SELECT", "mysql", "proc") || rights.on_all("SHOW_ROUTINE");
}

bool sees_routines_of(const MysqlRights& rights, const std::string& database) {
  constexpr std::array<std::string_view, 4> any{"EXECUTE", "CREATE ROUTINE", "ALTER ROUTINE",
                                                "SHOW CREATE ROUTINE"};
  return std::ranges::any_of(any, [&](auto right) { return rights.on_database(right, database); });
}

void add_routine_gaps(const MysqlOptions& options, const MysqlSurvey& survey,
                      std::vector<Gap>& gaps) {
  if (!options.routines || reads_all_routines(survey.rights)) return;
  const std::string remedy =
      "GRANT SELECT ON mysql.proc TO the account (MySQL 8: GRANT SHOW_ROUTINE ON *.*), or set "
      "routines = false.";
  if (!survey.closed_routines.empty()) {
    gaps.push_back({fmt::format("routines whose text it may not read: {}",
                                fmt::join(survey.closed_routines, ", ")),
                    remedy});
  }
  for (const std::string& database : survey.databases) {
    if (sees_routines_of(survey.rights, database)) continue;
    gaps.push_back(
        {fmt::format("routines of '{}', which it could not even see", database), remedy});
  }
}

/// A database that the account may not see is in no list: only rights on everything will do.
std::vector<Gap> gaps_of_all(const MysqlOptions& options, const MysqlSurvey& survey) {
  std::vector<Gap> gaps;
  for (const Need& need : needs_of(options, true)) {
    if (survey.rights.on_all(need.right)) continue;
    gaps.push_back({fmt::format("{} of all databases (no {} on *.*)", need.lacks, need.right),
                    fmt::format("GRANT {} ON *.* TO the account.", need.right)});
  }
  return gaps;
}

std::vector<Gap> gaps_of_some(const MysqlOptions& options, const MysqlSurvey& survey) {
  std::vector<Gap> gaps;
  for (const std::string& database : survey.databases) {
    const bool has_views =
        std::ranges::find(survey.with_views, database) != survey.with_views.end();
    for (const Need& need : needs_of(options, has_views)) {
      if (is_granted(need, options, survey.rights, database)) continue;
      gaps.push_back(
          {fmt::format("{} of '{}' (no {} on it)", need.lacks, database, need.right),
           fmt::format("GRANT {} ON {}.* TO the account.", need.right, backquoted(database))});
    }
  }
  return gaps;
}

}  // namespace

std::string survey_query(const MysqlOptions& options) {
  return fmt::format(
      "SET SESSION sql_mode = ''; "  // names in backquotes, whatever the server's default
      "SELECT 'version', VERSION(); "
      "SELECT 'timeout', @@net_write_timeout; "
      "SELECT 'database', SCHEMA_NAME FROM information_schema.SCHEMATA WHERE {}; "
      "SELECT 'routine', CONCAT(ROUTINE_SCHEMA, '.', ROUTINE_NAME) FROM "
      "information_schema.ROUTINES WHERE ROUTINE_DEFINITION IS NULL AND {}; "
      "SELECT 'engine', CONCAT(TABLE_SCHEMA, '.', TABLE_NAME, ' (', ENGINE, ')') FROM "
      "information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE IN "
      "('MyISAM', 'Aria', 'CSV', 'MEMORY', 'ARCHIVE') AND {}; "
      "SELECT DISTINCT 'views', TABLE_SCHEMA FROM information_schema.TABLES WHERE "
      "TABLE_TYPE = 'VIEW' AND {}; "
      "SHOW GRANTS",
      among("SCHEMA_NAME", options), among("ROUTINE_SCHEMA", options),
      among("TABLE_SCHEMA", options), among("TABLE_SCHEMA", options));
}

MysqlSurvey read_survey(std::string_view answer) {
  MysqlSurvey survey;
  while (!answer.empty()) {
    const std::size_t end = std::min(answer.find('\n'), answer.size());
    const std::vector<std::string> fields = fields_of(answer.substr(0, end));
    answer.remove_prefix(std::min(end + 1, answer.size()));
    if (fields.size() == 1) survey.rights.add(fields[0]);
    if (fields.size() != 2) continue;
    const std::string& value = fields[1];
    if (fields[0] == "version") survey.version = value;
    if (fields[0] == "timeout") survey.net_write_timeout = value;
    if (fields[0] == "database") survey.databases.push_back(value);
    if (fields[0] == "views") survey.with_views.push_back(value);
    if (fields[0] == "routine") survey.closed_routines.push_back(value);
    if (fields[0] == "engine") survey.not_transactional.push_back(value);
  }
  return survey;
}

void check_databases(const MysqlOptions& options, const MysqlSurvey& survey) {
  if (survey.databases.size() >= options.databases.size()) return;
  std::vector<std::string> missing;
  for (const std::string& name : options.databases) {
    if (std::ranges::find(survey.databases, name) == survey.databases.end()) {
      missing.push_back(fmt::format("'{}'", name));
    }
  }
  throw Error{
      Errc::source,
      fmt::format("there is no database {} that the account may see", fmt::join(missing, ", ")),
      "Check the name, and GRANT SELECT on it to the account."};
}

std::vector<Gap> find_gaps(const MysqlOptions& options, const MysqlSurvey& survey) {
  std::vector<Gap> gaps =
      options.databases.empty() ? gaps_of_all(options, survey) : gaps_of_some(options, survey);
  add_routine_gaps(options, survey, gaps);
  return gaps;
}

}  // namespace bp::stages
