// stages/sources/mysql_options.hpp — what a job file says about a MySQL dump, and the command
// lines that follow from it.
#pragma once

#include "config/options.hpp"
#include "config/secret.hpp"

#include <string>
#include <vector>

namespace bp::stages {

struct MysqlOptions {
  std::string dumper = "mariadb-dump";
  std::string client = "mariadb";
  /// What both programs need to log in; option files come first, as both demand.
  std::vector<std::string> login{};
  std::vector<std::string> databases{};  ///< empty: all
  bool with_create = false;              ///< the dump names and makes its databases
  std::vector<std::string> tables{}, ignore_tables{};
  bool events = true, routines = true, triggers = true, single_transaction = true;
  std::vector<std::string> extra_args{};
};

/// Reads everything but what all dumpers share. `has_password`: it comes as descriptor 3.
[[nodiscard]] MysqlOptions read_mysql_options(config::OptionReader& options, bool has_password);

/// The dumper's command line; with `rehearsal`, everything but the data, to nowhere.
[[nodiscard]] std::vector<std::string> dump_argv(const MysqlOptions& options, bool rehearsal);
/// The client's, to run `sql` and print rows as lines of tab-separated, escaped fields.
[[nodiscard]] std::vector<std::string> query_argv(const MysqlOptions& options,
                                                  const std::string& sql);

/// An option file that holds the password, whatever characters are in it.
[[nodiscard]] config::Secret option_file(const config::Secret& password);

}  // namespace bp::stages
