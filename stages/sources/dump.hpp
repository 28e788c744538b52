// stages/sources/dump.hpp — what the sources with a database's own dumper have in common.
//
// Before hours of dumping: can we log in, is everything there that shall be dumped, and what would
// be left out? A dumper leaves out in silence what its account may not see. Afterwards: exit
// status, then the text's own end.
#pragma once

#include "config/secret.hpp"
#include "stages/sources/dump_end.hpp"
#include "stages/sources/process.hpp"
#include "stages/support/secret_file.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bp::stages {

struct DumpOptions {
  ProcessOptions process;
  std::optional<config::SecretRef> password{};
  bool can_warn = false;         ///< whether there is an on_unreadable
  bool warn_unreadable = false;  ///< on_unreadable = "warn": a gap is stored with a warning
  bool rehearse = true;          ///< run the dumper once without data before the run
  std::string end_mark{};        ///< how a line near the end of a finished dump begins
};

/// Whether a dumper can leave out what it may not read: then on_unreadable is an option.
enum class Unreadable : unsigned char { may_be_left_out, always_fails };

/// Reads what all dumpers share: the options of a child, password, rehearse, on_unreadable.
[[nodiscard]] DumpOptions read_dump_options(config::OptionReader& options, Unreadable unreadable);

/// Names of databases, tables, hosts, …, as the list at `key`: records a problem for one that is
/// empty or could be taken for an option.
[[nodiscard]] std::vector<std::string> read_names(config::OptionReader& options,
                                                  std::string_view key);
/// The same for one; empty when the key is absent.
[[nodiscard]] std::string read_name(config::OptionReader& options, std::string_view key);

/// The list at `extra_args`, for the dumper. Records a problem for what is no option (it would be
/// taken for a name) and for every option of `refused`, a list of (name, reason): "force", "r". A
/// beginning of a long name counts, since dumpers accept it.
[[nodiscard]] std::vector<std::string> read_extra_args(
    config::OptionReader& options,
    const std::vector<std::pair<std::string_view, std::string_view>>& refused);

/// Part of a dumper's message, and what to do about it.
struct Saying {
  std::string_view part;
  std::string_view advice;
};
/// The advice of the first of `sayings` that is in one of `lines`; else empty.
[[nodiscard]] std::string advice_for(const std::vector<std::string>& lines,
                                     std::span<const Saying> sayings);

/// Something that the dump would lack, and what would help.
struct Gap {
  std::string what;
  std::string remedy;
};

class DumpSource : public ProcessSource {
 public:
  explicit DumpSource(DumpOptions options);
  /// Program, password, survey(), rehearsal. Waits; throws; I/O thread.
  [[nodiscard]] asio::awaitable<void> preflight(StageContext& ctx) override;

 protected:
  /// The text of the file with the password that the dumper reads as /proc/self/fd/3.
  [[nodiscard]] virtual config::Secret password_file(const config::Secret& password) const = 0;
  /// Asks the server what there is to know before the start; throws, or finds gaps.
  [[nodiscard]] virtual asio::awaitable<std::vector<Gap>> survey(StageContext& ctx) = 0;
  /// The dumper's command line with everything but the data, and nothing on stdout.
  [[nodiscard]] virtual std::vector<std::string> rehearsal_argv() const = 0;

  /// What a client of the database prints. Throws its last words when it fails.
  [[nodiscard]] asio::awaitable<std::string> ask(StageContext& ctx, std::vector<std::string> argv,
                                                 std::chrono::seconds limit);

 private:
  [[nodiscard]] ChildOptions child_options() const final;
  void saw(std::span<const std::byte> bytes) final { end_.saw(bytes); }
  void check_end(StageContext& ctx) const final;
  void report(const std::vector<Gap>& gaps, StageContext& ctx) const;

  std::optional<config::SecretRef> password_;
  std::optional<SecretFile> secret_;
  bool can_warn_, warn_unreadable_, rehearse_;
  DumpEnd end_;
};

/// The number that a password's file has in the dumper.
constexpr int password_descriptor = 3;

}  // namespace bp::stages
