#include "stages/sources/mysql_options.hpp"

#include "stages/sources/dump.hpp"
#include "stages/support/child_environment.hpp"
#include "stages/support/secret_file.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace bp::stages {

namespace {

constexpr std::string_view hides_errors = "a dump with errors must not look complete";
constexpr std::string_view hides_end =
    "without its last comment nobody can tell a whole dump from half of one";
constexpr std::string_view elsewhere = "the dump must come to us";
constexpr std::string_view in_job = "the job has keys of its own for it";

const std::vector<std::pair<std::string_view, std::string_view>> refused{
    {"force", hides_errors},
    {"f", hides_errors},
    {"skip-comments", hides_end},
    {"disable-comments", hides_end},
    {"comments", hides_end},
    {"i", hides_end},
    {"compact", hides_end},
    {"xml", hides_end},
    {"X", hides_end},
    {"result-file", elsewhere},
    {"r", elsewhere},
    {"tab", elsewhere},
    {"T", elsewhere},
    {"password", in_job},
    {"p", in_job},
    {"defaults-file", in_job},
    {"defaults-extra-file", in_job},
    {"no-defaults", in_job},
    {"databases", in_job},
    {"B", in_job},
    {"all-databases", in_job},
    {"A", in_job}};

/// The first of `names` that is installed, else the first: its absence is for preflight to tell.
std::string installed(std::string first, const std::string& second) {
  return !find_program(first) && find_program(second) ? second : std::move(first);
}

/// The client that came with a dumper: beside it, when the dumper is given as a path.
std::string client_beside(const std::string& dumper) {
  const std::size_t slash = dumper.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : dumper.substr(0, slash + 1);
  return installed(folder + "mariadb", folder + "mysql");
}

void read_scope(config::OptionReader& options, MysqlOptions& result) {
  const std::string one = read_name(options, "dbname");
  const std::vector<std::string> several = read_names(options, "databases");
  const bool all = options.flag("all_databases", false);
  const int given =
      (options.has("dbname") ? 1 : 0) + (options.has("databases") ? 1 : 0) + (all ? 1 : 0);
  if (given != 1) {
    options.fail(
        options.has("databases") ? "databases" : "dbname",
        given == 0 ? "what to dump is not said" : "it is said twice what to dump",
        "Give one of dbname = \"NAME\", databases = [\"NAME\", …] or all_databases = true.");
  }
  result.with_create = !options.has("dbname");
  result.databases = options.has("dbname") ? std::vector{one} : several;

  result.tables = read_names(options, "tables");
  if (!result.tables.empty() && !options.has("dbname")) {
    options.fail("tables", "'tables' needs 'dbname'", "Tables of one database can be named.");
  }
  for (std::string& table : result.ignore_tables = read_names(options, "ignore_tables")) {
    if (options.has("dbname")) {
      if (!table.starts_with(one + ".")) table = fmt::format("{}.{}", one, table);
    } else if (table.find('.') == std::string::npos) {
      options.fail("ignore_tables", fmt::format("'{}' does not say which database", table),
                   "Write \"database.table\".");
    }
  }
}

std::vector<std::string> read_login(config::OptionReader& options, bool has_password) {
  std::vector<std::string> login;
  if (options.has("defaults")) {
    if (has_password) {
      options.fail("password", "'defaults' and 'password' exclude each other",
                   "The option file is the place for its password.");
    }
    login.push_back("--defaults-file=" + options.path("defaults"));
  } else {
    options.accept("defaults");
    // Not --defaults-extra-file: a password in ~/.my.cnf would win over the job's.
    if (has_password) {
      login.push_back("--defaults-file=" + SecretFile::path(password_descriptor));
    }
  }
  const auto add = [&login](std::string_view option, const std::string& value) {
    if (!value.empty()) login.push_back(fmt::format("--{}={}", option, value));
  };
  if (options.has("host") && options.has("socket")) {
    options.fail("socket", "'host' and 'socket' exclude each other");
  }
  add("host", read_name(options, "host"));
  if (options.has("port")) {
    const long port = options.integer("port", {.fallback = std::nullopt, .min = 1, .max = 65535});
    // "localhost" alone means a socket to it, whatever the port.
    login.insert(login.end(), {fmt::format("--port={}", port), "--protocol=tcp"});
  } else {
    options.accept("port");
  }
  const auto add_path = [&](const char* key, std::string_view option) {
    if (options.has(key)) {
      add(option, options.path(key));
    } else {
      options.accept(key);
    }
  };
  add_path("socket", "socket");
  add("user", read_name(options, "user"));
  add_path("ssl_ca", "ssl-ca");
  add_path("ssl_cert", "ssl-cert");
  add_path("ssl_key", "ssl-key");
  if (options.flag("ssl_verify", options.has("ssl_ca"))) {
    login.insert(login.end(), {"--ssl", "--ssl-verify-server-cert"});
  }
  return login;
}

}  // namespace

MysqlOptions read_mysql_options(config::OptionReader& options, bool has_password) {
  MysqlOptions result;
  result.dumper = options.optional_text("binary").value_or(installed("mariadb-dump", "mysqldump"));
  result.client = options.optional_text("client").value_or(client_beside(result.dumper));
  result.login = read_login(options, has_password);
  read_scope(options, result);
  const bool no_events = options.flag("noevents", false);
  result.events = options.flag("events", !no_events);
  if (no_events && result.events) {
    options.fail("noevents", "'events' and 'noevents' contradict each other");
  }
  result.routines = options.flag("routines", true);
  result.triggers = options.flag("triggers", true);
  result.single_transaction = options.flag("single_transaction", true);
  result.extra_args = read_extra_args(options, refused);
  return result;
}

std::vector<std::string> dump_argv(const MysqlOptions& options, bool rehearsal) {
  std::vector<std::string> argv{options.dumper};
  argv.insert(argv.end(), options.login.begin(), options.login.end());
  // Binary data as hexadecimal: in a text it would not survive every way back.
  argv.insert(argv.end(),
              {"--default-character-set=utf8mb4", "--hex-blob", "--max-allowed-packet=1G"});
  if (options.single_transaction) argv.insert(argv.end(), {"--single-transaction", "--quick"});
  argv.emplace_back(options.events ? "--events" : "--skip-events");
  argv.emplace_back(options.routines ? "--routines" : "--skip-routines");
  argv.emplace_back(options.triggers ? "--triggers" : "--skip-triggers");
  for (const std::string& table : options.ignore_tables) argv.push_back("--ignore-table=" + table);
  argv.insert(argv.end(), options.extra_args.begin(), options.extra_args.end());
  if (rehearsal) argv.insert(argv.end(), {"--no-data", "--result-file=/dev/null"});
  if (options.databases.empty()) {
    argv.emplace_back("--all-databases");
    return argv;
  }
  if (options.with_create) argv.emplace_back("--databases");
  argv.emplace_back("--");
  argv.insert(argv.end(), options.databases.begin(), options.databases.end());
  argv.insert(argv.end(), options.tables.begin(), options.tables.end());
  return argv;
}

std::vector<std::string> query_argv(const MysqlOptions& options, const std::string& sql) {
  std::vector<std::string> argv{options.client};
  argv.insert(argv.end(), options.login.begin(), options.login.end());
  argv.insert(argv.end(), {"--batch", "--skip-column-names", "--connect-timeout=20",
                           "--default-character-set=utf8mb4", "--execute=" + sql});
  return argv;
}

config::Secret option_file(const config::Secret& password) {
  constexpr std::string_view before = "[client]\npassword=\"", after = "\"\n";
  std::string text;
  text.reserve(before.size() + 2 * password.reveal().size() + after.size());  // no copy left behind
  text = before;
  for (const char c : password.reveal()) {
    // In quotes, so that '#' begins no comment and blanks at the ends stay.
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else {
      text += c;
    }
  }
  text += after;
  return config::Secret{std::move(text)};
}

}  // namespace bp::stages
