// stages/destinations/command_sink.hpp — any program that reads an object from its stdin.
//
//   prepare  feed it everything, wait until it has read all of that; keep its stdin open
//   commit   end its stdin, wait for a good exit status
//   abort    end it (TERM, KILL), then run on_abort
//
// The two-step contract holds as far as a program keeps its part: it must not make the object
// visible before the end of its input, and must not call it stored (exit 0) before it is durable.
// What we add: that end of input is withheld until the decision, so a program that stores at end of
// file has nothing to show for a failed backup; and one that ends before it, whatever its exit
// status, has failed. What nobody can give: a commit is as slow, and as likely to fail, as the
// program's last step; and after a failed one, or a crash of ours, only the program knows what is
// there. on_abort then removes it, if we still run.
#pragma once

#include "stages/registry.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bp::stages {

/// One [destination.X] of type "command", as written.
struct CommandSettings {
  std::string name;                     ///< of the destination
  std::vector<std::string> argv;        ///< with {object} {run} {source}, also below
  std::vector<std::string> on_abort{};  ///< empty: nothing to clean up
  std::vector<std::pair<std::string, std::string>> environment{};
  std::string working_directory{};
  std::vector<int> ok_exit{0};
  /// How long it may neither read nor end while we wait for that; none: for ever.
  std::optional<std::chrono::milliseconds> idle_limit{};
  bool local = false;
  bool manifest = true;
};

/// "command://NAME/OBJECT": for people.
[[nodiscard]] std::string command_location(const CommandSettings& settings,
                                           const std::string& object);

/// The sink of one object. on_abort is run at most once, after the program is gone, when it was
/// started and the object is not stored, also after a failed commit().
[[nodiscard]] std::unique_ptr<Sink> command_sink(const CommandSettings& settings,
                                                 const BuildContext& context);

}  // namespace bp::stages
