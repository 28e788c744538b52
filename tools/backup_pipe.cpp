// tools/backup_pipe.cpp — main(): the command line, and the last place that catches.
#include "engine/error.hpp"
#include "tools/commands/command.hpp"
#include "tools/output/log.hpp"
#include "tools/process_setup.hpp"
#include "tools/version.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <string>

namespace {

using namespace bp;

constexpr int usage_or_configuration = 2;
constexpr int failed = 1;

void add_global_options(CLI::App& program, tools::Session& session) {
  program.add_option("--log-level", session.log_level, "How much goes to standard error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  program.add_option("--log-format", session.log_format, "Lines of text, or of JSON")
      ->transform(CLI::CheckedTransformer(std::map<std::string, tools::LogFormat>{
          {"text", tools::LogFormat::text}, {"json", tools::LogFormat::json}}))
      ->option_text("text|json [text]");
  program.set_version_flag("--version", std::string{"backup-pipe "} + std::string{tools::version});
  program.fallthrough();
  program.require_subcommand(1);
  program.footer(
      "Exit status: 0 all stored · 1 a required copy is missing · 2 usage or configuration, "
      "nothing\n"
      "started · 3 stored, with warnings · 5 already running · 6 something may be left behind ·\n"
      "130/143 stopped by SIGINT/SIGTERM\n\n"
      "Examples:\n"
      "  backup-pipe check nightly.toml\n"
      "  backup-pipe plan nightly.toml\n"
      "  backup-pipe run nightly.toml");
}

int run_program(int argc, char** argv) {
  CLI::App program{
      "Streaming backups: folders and databases to other places, without temporary files",
      "backup-pipe"};
  tools::Session session;
  stages::register_all(session.registry);
  add_global_options(program, session);
  tools::add_run(program, session);
  tools::add_check(program, session);
  tools::add_plan(program, session);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : usage_or_configuration;
  }
  tools::set_up_log(session.log_level, session.log_format, {});
  return session.action();
}

}  // namespace

int main(int argc, char** argv) {
  tools::set_up_process();
  try {
    return run_program(argc, argv);
  } catch (const Error& error) {
    tools::log_error(error);
    return error.code() == Errc::config ? usage_or_configuration : failed;
  } catch (const std::exception& error) {
    spdlog::critical("{}", error.what());
    return failed;
  }
}
