// bench/commands/serve.cpp — backup-pipe-bench serve: the discarding S3 endpoint, for jobs and
// other tools.
#include "bench/commands/command.hpp"
#include "bench/http_sink_server.hpp"
#include "config/units.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>

namespace bp::bench {

namespace {

int serve(std::uint16_t port) {
  // Blocked before the server's thread begins, so that it inherits this and the wait below gets
  // them.
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGINT);
  ::sigaddset(&ends, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  const HttpSinkServer server{port};
  fmt::print("{}\n", server.url());
  std::fflush(stdout);
  int signal_number = 0;
  ::sigwait(&ends, &signal_number);
  const HttpSinkCounters& counters = server.counters();
  fmt::print("{} requests, {} parts, {} completed, {} aborted, {} taken\n",
             counters.requests.load(), counters.parts.load(), counters.completed.load(),
             counters.aborted.load(), config::format_bytes(counters.body_bytes));
  return 0;
}

}  // namespace

void add_serve(CLI::App& program, Session& session) {
  CLI::App* command = program.add_subcommand(
      "serve",
      "An S3 endpoint at 127.0.0.1 that counts and forgets; prints its address, ends on SIGINT");
  auto port = std::make_shared<std::uint16_t>(0);
  command->add_option("--port", *port, "The port [any free one]");
  command->callback([&session, port] { session.action = [port] { return serve(*port); }; });
}

}  // namespace bp::bench
