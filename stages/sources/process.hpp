// stages/sources/process.hpp — a source that is a child process: what it prints is the stream.
//
// Everything that can go wrong with a dump ends here: its exit status is seen and judged, whatever
// way it ended, before the stream may end well. Types with a dump tool of their own derive from
// ProcessSource.
#pragma once

#include "config/options.hpp"
#include "engine/stage.hpp"
#include "stages/registry.hpp"
#include "stages/sources/stream_size.hpp"
#include "stages/support/child_process.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bp::stages {

struct ProcessOptions {
  ChildOptions child;
  std::vector<int> ok_exit{0};
  std::vector<int> warn_exit{};  ///< stored, with a warning that lists the child's messages
  SizeRules size{};              ///< what a good child prints at least
};

/// Reads what all sources with a child share: ok_exit, warn_exit, idle_timeout (default 30m, 0:
/// none), time_limit, nice, ionice, min_bytes, shrink_limit, on_shrink. The caller adds argv and
/// what else the child needs.
[[nodiscard]] ProcessOptions read_process_options(config::OptionReader& options,
                                                  std::vector<int> default_warn_exit);

/// The same with what is known of this run only: how much the last good one gave.
[[nodiscard]] ProcessOptions for_run(ProcessOptions options, const BuildContext& context);

/// Throws Errc::source, with what to do about it, when there is no such program.
void require_program(const std::string& name);

class ProcessSource : public Source {
 public:
  explicit ProcessSource(ProcessOptions options);
  [[nodiscard]] asio::awaitable<void> preflight(StageContext& ctx) override;
  [[nodiscard]] asio::awaitable<void> produce(Outlet& out, StageContext& ctx) final;

 protected:
  /// What to start; asked once, when the stream begins. Descriptors granted here must stay open
  /// until it has ended.
  [[nodiscard]] virtual ChildOptions child_options() const { return options_.child; }
  /// Shown every chunk of the stream before it goes on.
  virtual void saw(std::span<const std::byte> bytes);
  /// The child ended well. A source that knows how its stream must end throws when it did not.
  virtual void check_end(StageContext& ctx) const;
  /// What to do about a failure with these lines of stderr; empty when there is nothing to say.
  [[nodiscard]] virtual std::string advice(const std::vector<std::string>& lines) const;
  /// The lines of stderr that are worth showing, oldest first.
  [[nodiscard]] virtual std::vector<std::string> messages(std::string_view stderr_tail) const;

  [[nodiscard]] const ProcessOptions& options() const noexcept { return options_; }

 private:
  void judge(const ExitStatus& status, const ChildProcess& child, StageContext& ctx) const;

  ProcessOptions options_;
  std::uint64_t bytes_ = 0;
};

}  // namespace bp::stages
