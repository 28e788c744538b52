#include "stages/support/child_process.hpp"

#include <fmt/format.h>

#include <array>

namespace bp::stages {

asio::awaitable<CommandResult> run_command(StageContext& ctx, ChildOptions options,
                                           std::chrono::seconds limit, std::size_t max_output) {
  const std::string program = options.argv.empty() ? std::string{} : options.argv.front();
  options.time_limit = limit;
  ChildProcess child = ChildProcess::start(ctx, std::move(options));
  CommandResult result;
  std::array<std::byte, 4096> block;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (;;) {
    const std::size_t count = co_await child.read_some(block);
    if (count == 0) break;
    if (result.output.size() + count > max_output) {
      throw Error{Errc::source,
                  fmt::format("'{}' printed more than {} bytes", program, max_output)};
    }
    result.output.append(reinterpret_cast<const char*>(block.data()), count);
  }
  result.status = co_await child.exited();
  result.errors = child.stderr_tail();
  co_return result;
}

}  // namespace bp::stages
