#include "stages/sources/postgresql_options.hpp"

#include "engine/error.hpp"
#include "stages/sources/dump.hpp"

#include <fmt/format.h>

namespace bp::stages {

namespace {

using Scope = PostgresqlOptions::Scope;

constexpr std::string_view elsewhere = "the dump must come to us";
constexpr std::string_view in_job = "the job has keys of its own for it";
constexpr std::string_view asks = "nobody is there to type a password";

const std::vector<std::pair<std::string_view, std::string_view>> refused{
    {"file", elsewhere},
    {"f", elsewhere},
    {"jobs", "only folders can be dumped in parallel"},
    {"j", "only folders can be dumped in parallel"},
    {"format", in_job},
    {"F", in_job},
    {"dbname", in_job},
    {"d", in_job},
    {"password", asks},
    {"W", asks},
    {"globals-only", in_job},
    {"g", in_job}};

void read_scope(config::OptionReader& options, PostgresqlOptions& result) {
  result.database = read_name(options, "dbname");
  const bool cluster = options.flag("all_databases", false);
  const bool globals = options.flag("globals", false);
  if ((options.has("dbname") ? 1 : 0) + (cluster ? 1 : 0) + (globals ? 1 : 0) != 1) {
    options.fail("dbname", "what to dump is not said, or said twice",
                 "Give one of dbname = \"NAME\", all_databases = true or globals = true.");
  }
  if (result.database.find('=') != std::string::npos ||
      result.database.find("://") != std::string::npos) {
    options.fail("dbname", "a connection string is no name of a database",
                 "Use host, port, user and the other keys.");
  }
  if (cluster) result.scope = Scope::cluster;
  if (globals) result.scope = Scope::globals;
  result.custom = options.choice("format", "plain", {"plain", "custom"}) == "custom";
  result.schemas = read_names(options, "schemas");
  result.exclude_tables = read_names(options, "exclude_tables");
  if (result.scope == Scope::database) return;
  for (const char* const key : {"format", "schemas", "exclude_tables"}) {
    if (options.has(key)) {
      options.fail(key, fmt::format("'{}' needs 'dbname'", key), "Only pg_dump knows it.");
    }
  }
}

void read_login(config::OptionReader& options, bool has_password, PostgresqlOptions& result) {
  // A folder for a socket is a host, too.
  if (const std::string host = read_name(options, "host"); !host.empty()) {
    result.login.push_back("--host=" + host);
  }
  if (options.has("port")) {
    const long port = options.integer("port", {.fallback = std::nullopt, .min = 1, .max = 65535});
    result.login.push_back(fmt::format("--port={}", port));
  } else {
    options.accept("port");
  }
  if (const std::string user = read_name(options, "user"); !user.empty()) {
    result.login.push_back("--username=" + user);
  }
  auto& environment = result.environment;
  environment = {{"PGCONNECT_TIMEOUT", "20"}, {"PGAPPNAME", "backup-pipe"}};
  if (has_password) environment.emplace_back("PGPASSFILE", SecretFile::path(password_descriptor));
  const std::string mode = options.choice(
      "sslmode", "default",
      {"default", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"});
  if (mode != "default") environment.emplace_back("PGSSLMODE", mode);
  const auto add_path = [&](const char* key, const char* variable) {
    if (options.has(key)) {
      environment.emplace_back(variable, options.path(key));
    } else {
      options.accept(key);
    }
  };
  add_path("sslrootcert", "PGSSLROOTCERT");
  add_path("sslcert", "PGSSLCERT");
  add_path("sslkey", "PGSSLKEY");
}

/// The client that came with a dumper: beside it, when the dumper is given as a path.
std::string client_beside(const std::string& dumper) {
  const std::size_t slash = dumper.rfind('/');
  return slash == std::string::npos ? "psql" : dumper.substr(0, slash + 1) + "psql";
}

}  // namespace

PostgresqlOptions read_postgresql_options(config::OptionReader& options, bool has_password) {
  PostgresqlOptions result;
  read_scope(options, result);
  const char* const dumper = result.scope == Scope::database ? "pg_dump" : "pg_dumpall";
  result.dumper = options.optional_text("binary").value_or(dumper);
  result.client = options.optional_text("client").value_or(client_beside(result.dumper));
  read_login(options, has_password, result);
  result.extra_args = read_extra_args(options, refused);
  return result;
}

std::vector<std::string> dump_argv(const PostgresqlOptions& options, bool rehearsal) {
  std::vector<std::string> argv{options.dumper, "--no-password"};
  argv.insert(argv.end(), options.login.begin(), options.login.end());
  const bool custom = options.custom && !rehearsal;
  if (options.scope == Scope::database) {
    // A pattern that fits nothing is a mistake, not an empty dump.
    argv.insert(argv.end(), {custom ? "--format=custom" : "--format=plain", "--strict-names"});
    // The pipeline compresses, on all cores.
    if (custom) argv.emplace_back("--compress=0");
  }
  if (options.scope == Scope::globals) argv.emplace_back("--globals-only");
  for (const std::string& schema : options.schemas) argv.push_back("--schema=" + schema);
  for (const std::string& table : options.exclude_tables) {
    argv.push_back("--exclude-table=" + table);
  }
  argv.insert(argv.end(), options.extra_args.begin(), options.extra_args.end());
  if (rehearsal) {
    if (options.scope != Scope::globals) argv.emplace_back("--schema-only");
    argv.insert(argv.end(), {"--no-sync", "--file=/dev/null"});
  }
  if (options.scope == Scope::database) argv.push_back("--dbname=" + options.database);
  return argv;
}

std::vector<std::string> query_argv(const PostgresqlOptions& options, const std::string& sql) {
  std::vector<std::string> argv{options.client, "--no-password"};
  argv.insert(argv.end(), options.login.begin(), options.login.end());
  argv.insert(
      argv.end(),
      {"--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--command=" + sql,
       "--dbname=" + (options.database.empty() ? "postgres" : options.database)});
  return argv;
}

std::string_view end_mark(const PostgresqlOptions& options) {
  if (options.scope != Scope::database) return "-- PostgreSQL database cluster dump complete";
  return options.custom ? "" : "-- PostgreSQL database dump complete";
}

config::Secret password_file_text(const config::Secret& password) {
  constexpr std::string_view before = "*:*:*:*:";
  std::string text;
  text.reserve(before.size() + 2 * password.reveal().size() + 1);  // no copy left behind
  text = before;
  for (const char c : password.reveal()) {
    if (c == '\n' || c == '\r') {
      throw Error{Errc::config, "a password for PostgreSQL cannot hold a line break"};
    }
    if (c == ':' || c == '\\') text += '\\';
    text += c;
  }
  text += '\n';
  return config::Secret{std::move(text)};
}

}  // namespace bp::stages
