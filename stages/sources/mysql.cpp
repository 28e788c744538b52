// stages/sources/mysql.cpp — databases of a MySQL or MariaDB server, by their own dumper.
#include "stages/registry.hpp"
#include "stages/sources/dump.hpp"
#include "stages/sources/mysql_options.hpp"
#include "stages/sources/mysql_survey.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

namespace bp::stages {

namespace {

constexpr std::array<Saying, 8> sayings{{
    {"Lost connection to",
     "The server ended the connection. If a slow destination held the dump "
     "up, raise the server's net_write_timeout."},
    {"Got packet bigger than", "Raise the server's max_allowed_packet."},
    {"unknown option",
     "This dumper is older than the option, or of another kind: see extra_args "
     "and binary."},
    {"unknown variable",
     "This dumper is older than the option, or of another kind: see extra_args "
     "and binary."},
    {"Access denied", "Check user and password, and what the account is granted."},
    {"Can't connect", "Does the server run, and are host, port or socket right?"},
    {"SSL", "Check ssl_ca, ssl_cert and ssl_key; ssl_verify = false trusts any server."},
    {"references invalid table",
     "Drop the view or mend what it reads; ignore_tables leaves it out."},
}};

class MysqlSource final : public DumpSource {
 public:
  MysqlSource(MysqlOptions what, DumpOptions options)
      : DumpSource{std::move(options)}, what_{std::move(what)} {}

 private:
  config::Secret password_file(const config::Secret& password) const override {
    return option_file(password);
  }

  asio::awaitable<std::vector<Gap>> survey(StageContext& ctx) override {
    require_program(what_.client);
    std::vector<std::string> argv = query_argv(what_, survey_query(what_));
    const std::string answer = co_await ask(ctx, std::move(argv), std::chrono::seconds{60});
    const MysqlSurvey found = read_survey(answer);
    check_databases(what_, found);
    ctx.note("server", found.version);
    ctx.note("net_write_timeout",
             found.net_write_timeout + " s: a destination that waits longer ends the dump");
    if (what_.single_transaction && !found.not_transactional.empty()) {
      ctx.note("not_transactional", fmt::format("{}: may change while dumped",
                                                fmt::join(found.not_transactional, ", ")));
    }
    co_return find_gaps(what_, found);
  }

  std::vector<std::string> rehearsal_argv() const override { return dump_argv(what_, true); }

  std::string advice(const std::vector<std::string>& lines) const override {
    return advice_for(lines, sayings);
  }

  MysqlOptions what_;
};

}  // namespace

void register_source_mysql(Registry& registry) {
  registry.add_source("mysql", [](config::OptionReader& options) {
    DumpOptions dump = read_dump_options(options, Unreadable::may_be_left_out);
    const MysqlOptions what = read_mysql_options(options, dump.password.has_value());
    dump.end_mark = "-- Dump completed";
    dump.process.child.argv = dump_argv(what, false);
    return SourceType{.extension = ".sql",
                      .argv = dump.process.child.argv,
                      .sudo_argv = {},
                      .make = [what, dump](const BuildContext& context) {
                        DumpOptions options_of_run = dump;
                        options_of_run.process = for_run(dump.process, context);
                        return std::make_unique<MysqlSource>(what, std::move(options_of_run));
                      }};
  });
}

}  // namespace bp::stages
