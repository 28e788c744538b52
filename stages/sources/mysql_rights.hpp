// stages/sources/mysql_rights.hpp — what an account may do, from the lines of SHOW GRANTS.
//
// information_schema has the same, though not what comes through a role, and other accounts' too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

/// One level of a right: on everything, on databases like a pattern, or on one table.
struct Grant {
  std::vector<std::string> rights;  ///< upper case; "ALL PRIVILEGES" is all of them
  std::string database;             ///< a LIKE pattern; empty: everything
  std::string table;                ///< empty: the whole database
};

class MysqlRights {
 public:
  /// Reads one line of SHOW GRANTS; ignores what is not about tables. Such a line may hold a hash
  /// of the password: never show one.
  void add(std::string_view line);

  /// On everything there is and will be.
  [[nodiscard]] bool on_all(std::string_view right) const;
  /// On the whole database, or on everything.
  [[nodiscard]] bool on_database(std::string_view right, std::string_view database) const;
  /// On this table, by whatever grant.
  [[nodiscard]] bool on_table(std::string_view right, std::string_view database,
                              std::string_view table) const;

 private:
  std::vector<Grant> grants_;
};

}  // namespace bp::stages
