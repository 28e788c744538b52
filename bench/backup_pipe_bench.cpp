// bench/backup_pipe_bench.cpp — main() of backup-pipe-bench: how fast, with how much memory,
// limited by what.
#include "bench/commands/command.hpp"
#include "bench/pass_filter.hpp"
#include "engine/error.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace {

using namespace bp;

constexpr int usage_or_configuration = 2;
constexpr int failed = 1;

int run_program(int argc, char** argv) {
  CLI::App program{"Measures backup-pipe: chains of stages, settings, and other tools beside it",
                   "backup-pipe-bench"};
  program.require_subcommand(1);
  bench::Session session;
  stages::register_all(session.registry);
  bench::register_pass_filters(session.registry);
  bench::add_pipeline(program, session);
  bench::add_sweep(program, session);
  bench::add_compare(program, session);
  bench::add_serve(program, session);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : usage_or_configuration;
  }
  return session.action();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run_program(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "backup-pipe-bench: {}\n", error.what());
    if (!error.hint().empty()) fmt::print(stderr, "{}\n", error.hint());
    return error.code() == Errc::config ? usage_or_configuration : failed;
  } catch (const std::exception& error) {
    fmt::print(stderr, "backup-pipe-bench: {}\n", error.what());
    return failed;
  }
}
