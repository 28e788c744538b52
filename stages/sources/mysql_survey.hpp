// stages/sources/mysql_survey.hpp — what a MySQL server tells before a dump, and what the dump
// would lack.
//
// Seen on MariaDB 10.11 and its dumper: without the right to see them, routines, triggers and
// tables are left out, with exit status 0 and "Dump completed". Views and events at least fail, an
// hour later.
#pragma once

#include "stages/sources/dump.hpp"
#include "stages/sources/mysql_options.hpp"
#include "stages/sources/mysql_rights.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

struct MysqlSurvey {
  std::string version;
  std::string net_write_timeout;               ///< seconds
  std::vector<std::string> databases;          ///< those that exist, of the ones asked for
  std::vector<std::string> with_views;         ///< databases that have views
  std::vector<std::string> closed_routines;    ///< seen, though without their text: "shop.total"
  std::vector<std::string> not_transactional;  ///< "shop.visits (MyISAM)"
  MysqlRights rights;
};

/// The question, in SQL that needs no right at all.
[[nodiscard]] std::string survey_query(const MysqlOptions& options);
/// The answer, as the client prints it in batch mode.
[[nodiscard]] MysqlSurvey read_survey(std::string_view answer);

/// Throws Errc::source when a database is not there.
void check_databases(const MysqlOptions& options, const MysqlSurvey& survey);
/// All that the dumper would leave out or stumble over.
[[nodiscard]] std::vector<Gap> find_gaps(const MysqlOptions& options, const MysqlSurvey& survey);

}  // namespace bp::stages
