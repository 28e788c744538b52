// stages/sources/postgresql_options.hpp — what a job file says about a PostgreSQL dump, and the
// command lines that follow from it.
#pragma once

#include "config/options.hpp"
#include "config/secret.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bp::stages {

struct PostgresqlOptions {
  enum class Scope : unsigned char { database, cluster, globals };
  Scope scope = Scope::database;
  std::string database{};
  bool custom = false;  ///< pg_dump's own format, for pg_restore
  std::string dumper = "pg_dump";
  std::string client = "psql";
  std::vector<std::string> login{};  ///< host, port and user, for both programs
  std::vector<std::pair<std::string, std::string>> environment{};
  std::vector<std::string> schemas{}, exclude_tables{}, extra_args{};
};

/// Reads everything but what all dumpers share. `has_password`: it comes as descriptor 3.
[[nodiscard]] PostgresqlOptions read_postgresql_options(config::OptionReader& options,
                                                        bool has_password);

/// The dumper's command line; with `rehearsal`, everything but the data, to nowhere.
[[nodiscard]] std::vector<std::string> dump_argv(const PostgresqlOptions& options, bool rehearsal);
/// The client's, to run `sql` and print rows as lines.
[[nodiscard]] std::vector<std::string> query_argv(const PostgresqlOptions& options,
                                                  const std::string& sql);
/// How a line near the end of a finished dump begins; empty for a format without such a line.
[[nodiscard]] std::string_view end_mark(const PostgresqlOptions& options);

/// A password file that fits every server, whatever characters are in the password. Throws
/// Errc::config for a line break, which such a file cannot hold.
[[nodiscard]] config::Secret password_file_text(const config::Secret& password);

}  // namespace bp::stages
