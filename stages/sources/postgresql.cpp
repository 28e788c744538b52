// stages/sources/postgresql.cpp — databases of a PostgreSQL server, by pg_dump or pg_dumpall.
//
// Unlike MySQL's, these dumpers never leave anything out in silence: what they may not read ends
// them. The survey exists to name all of it at once, before hours of dumping.
#include "stages/registry.hpp"
#include "stages/sources/dump.hpp"
#include "stages/sources/postgresql_options.hpp"
#include "stages/support/tail_buffer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

namespace bp::stages {

namespace {

using Scope = PostgresqlOptions::Scope;

constexpr std::size_t most_named = 20;

constexpr std::array<Saying, 6> sayings{{
    {"server version mismatch",
     "Install the client of the server's version, and name its pg_dump as binary."},
    {"permission denied", "GRANT pg_read_all_data TO the account (PostgreSQL 14 and later)."},
    {"row-level security", "ALTER ROLE the account BYPASSRLS."},
    {"password", "Check user and password."},
    {"no matching", "Check the patterns in schemas and extra_args."},
    {"connection to server", "Does the server run, and are host, port and dbname right?"},
}};

/// Whatever pg_dump would stumble over: tables and sequences that we may not read, and tables of
/// which policies would hide rows.
constexpr std::string_view closed_query =
    "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'm', 'S') AND n.nspname !~ '^pg_' "
    "AND n.nspname <> 'information_schema' "
    "AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') "
    "AND NOT row_security_active(c.oid)) ORDER BY 1";

class PostgresqlSource final : public DumpSource {
 public:
  PostgresqlSource(PostgresqlOptions what, DumpOptions options)
      : DumpSource{std::move(options)}, what_{std::move(what)} {}

 private:
  config::Secret password_file(const config::Secret& password) const override {
    return password_file_text(password);
  }

  asio::awaitable<std::vector<Gap>> survey(StageContext& ctx) override {
    std::vector<Gap> gaps;
    // Of a part or of many databases the rehearsal is the better judge.
    const bool whole = what_.schemas.empty() && what_.exclude_tables.empty() &&
                       what_.extra_args.empty() && what_.scope == Scope::database;
    if (!whole) co_return gaps;
    require_program(what_.client);
    std::vector<std::string> argv = query_argv(what_, std::string{closed_query});
    const std::string answer = co_await ask(ctx, std::move(argv), std::chrono::seconds{60});
    const std::vector<std::string> closed = message_lines(answer, answer.size());
    if (closed.empty()) co_return gaps;
    const std::size_t shown = std::min(closed.size(), most_named);
    const std::vector<std::string> names(closed.begin(),
                                         closed.begin() + static_cast<std::ptrdiff_t>(shown));
    gaps.push_back(
        {fmt::format(
             "{}{}", fmt::join(names, ", "),
             shown < closed.size() ? fmt::format(" and {} more", closed.size() - shown) : ""),
         "GRANT pg_read_all_data TO the account (PostgreSQL 14 and later; BYPASSRLS "
         "where tables have row security), or name them in exclude_tables."});
    co_return gaps;
  }

  std::vector<std::string> rehearsal_argv() const override { return dump_argv(what_, true); }

  std::string advice(const std::vector<std::string>& lines) const override {
    return advice_for(lines, sayings);
  }

  PostgresqlOptions what_;
};

}  // namespace

void register_source_postgresql(Registry& registry) {
  registry.add_source("postgresql", [](config::OptionReader& options) {
    DumpOptions dump = read_dump_options(options, Unreadable::always_fails);
    const PostgresqlOptions what = read_postgresql_options(options, dump.password.has_value());
    dump.end_mark = end_mark(what);
    dump.process.child.argv = dump_argv(what, false);
    dump.process.child.environment = what.environment;
    return SourceType{.extension = what.custom ? ".dump" : ".sql",
                      .argv = dump.process.child.argv,
                      .sudo_argv = {},
                      .make = [what, dump](const BuildContext& context) {
                        DumpOptions options_of_run = dump;
                        options_of_run.process = for_run(dump.process, context);
                        return std::make_unique<PostgresqlSource>(what, std::move(options_of_run));
                      }};
  });
}

}  // namespace bp::stages
