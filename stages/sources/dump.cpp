#include "stages/sources/dump.hpp"

#include "stages/support/secret_resolver.hpp"
#include "stages/support/tail_buffer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace bp::stages {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_answer = std::size_t{4} << 20;
constexpr std::size_t last_words = 3;
constexpr auto rehearsal_limit = 10min;

bool is_name(config::OptionReader& options, std::string_view key, const std::string& name) {
  if (name.empty()) {
    options.fail(key, fmt::format("'{}' holds an empty name", key));
  } else if (name.front() == '-') {
    options.fail(key, fmt::format("'{}' begins with '-'", name),
                 "The dumper would take it for an option.");
  } else {
    return true;
  }
  return false;
}

/// "--skip_comments=1" is "skip-comments"; "-r/tmp/x" is "r".
std::string option_name(std::string_view argument) {
  if (!argument.starts_with("--")) return std::string{argument.substr(1, 1)};
  std::string name{argument.substr(2, argument.find('=') - 2)};
  std::ranges::replace(name, '_', '-');
  return name;
}

bool means(const std::string& name, std::string_view refused) {
  if (refused.size() == 1 || name.size() == 1) return name == refused;
  return refused.starts_with(name);
}

}  // namespace

DumpOptions read_dump_options(config::OptionReader& options, Unreadable unreadable) {
  DumpOptions result{.process = read_process_options(options, {})};
  result.password = options.optional_secret("password");
  if (unreadable == Unreadable::may_be_left_out) {
    result.warn_unreadable = options.choice("on_unreadable", "fail", {"fail", "warn"}) == "warn";
    result.can_warn = true;
  }
  result.rehearse = options.flag("rehearse", true);
  return result;
}

std::vector<std::string> read_names(config::OptionReader& options, std::string_view key) {
  std::vector<std::string> names = options.names(key);
  if (options.has(key) && names.empty()) options.fail(key, fmt::format("'{}' is empty", key));
  std::erase_if(names, [&](const auto& name) { return !is_name(options, key, name); });
  return names;
}

std::string read_name(config::OptionReader& options, std::string_view key) {
  std::string name = options.optional_text(key).value_or("");
  if (options.has(key) && !name.empty() && !is_name(options, key, name)) return {};
  return name;
}

std::vector<std::string> read_extra_args(
    config::OptionReader& options,
    const std::vector<std::pair<std::string_view, std::string_view>>& refused) {
  std::vector<std::string> arguments = options.list("extra_args");
  for (const std::string& argument : arguments) {
    if (argument.size() < 2 || argument.front() != '-' || argument == "--") {
      options.fail("extra_args", fmt::format("'{}' is no option", argument),
                   "Write an option and its value as one: \"--where=id > 5\".");
      continue;
    }
    const std::string name = option_name(argument);
    for (const auto& [option, reason] : refused) {
      if (!means(name, option)) continue;
      options.fail("extra_args", fmt::format("'{}' is refused: {}", argument, reason));
      break;
    }
  }
  return arguments;
}

std::string advice_for(const std::vector<std::string>& lines, std::span<const Saying> sayings) {
  for (const Saying& saying : sayings) {
    const auto says = [&saying](const auto& line) {
      return line.find(saying.part) != std::string::npos;
    };
    if (std::ranges::any_of(lines, says)) return std::string{saying.advice};
  }
  return {};
}

DumpSource::DumpSource(DumpOptions options)
    : ProcessSource{std::move(options.process)},
      password_{std::move(options.password)},
      can_warn_{options.can_warn},
      warn_unreadable_{options.warn_unreadable},
      rehearse_{options.rehearse},
      end_{std::move(options.end_mark)} {}

asio::awaitable<void> DumpSource::preflight(StageContext& ctx) {
  co_await ProcessSource::preflight(ctx);
  if (password_) {
    const config::Secret password = co_await resolve_secret(*password_, ctx);
    secret_.emplace(password_file(password));
  }
  const std::vector<Gap> gaps = co_await survey(ctx);
  report(gaps, ctx);
  if (!rehearse_) co_return;
  // The dumper's own judgement of its options, its rights and every name.
  try {
    std::vector<std::string> argv = rehearsal_argv();
    [[maybe_unused]] const std::string nothing =
        co_await ask(ctx, std::move(argv), rehearsal_limit);
  } catch (const Error& error) {
    throw error.within("rehearsing the dump");
  }
}

asio::awaitable<std::string> DumpSource::ask(StageContext& ctx, std::vector<std::string> argv,
                                             std::chrono::seconds limit) {
  ChildOptions question{.argv = std::move(argv), .environment = options().child.environment};
  if (secret_) question.grant = {secret_->as(password_descriptor)};
  const std::string program = question.argv.front();
  CommandResult answer = co_await run_command(ctx, std::move(question), limit, max_answer);
  if (!answer.status.success()) {
    std::vector<std::string> lines = messages(answer.errors);
    std::string hint = advice(lines);
    if (lines.size() > last_words) lines.erase(lines.begin(), lines.end() - last_words);
    throw Error{
        Errc::source,
        fmt::format("'{}' {} {}: {}", program, answer.status.signal == 0 ? "failed with" : "was",
                    answer.status.text(), fmt::join(lines, "; ")),
        std::move(hint)};
  }
  co_return std::move(answer.output);
}

ChildOptions DumpSource::child_options() const {
  ChildOptions child = options().child;
  if (secret_) child.grant = {secret_->as(password_descriptor)};
  return child;
}

void DumpSource::check_end(StageContext&) const {
  if (end_.is_there()) return;
  throw Error{
      Errc::source,
      fmt::format("the dumper ended well, but its dump does not end with \"{}\"", end_.mark()),
      "Does an option file suppress comments? Then nobody can tell a whole dump from half "
      "of one."};
}

void DumpSource::report(const std::vector<Gap>& gaps, StageContext& ctx) const {
  if (gaps.empty()) return;
  std::vector<std::string> missing, remedies;
  for (const Gap& gap : gaps) {
    missing.push_back(gap.what);
    if (std::ranges::find(remedies, gap.remedy) == remedies.end()) remedies.push_back(gap.remedy);
  }
  if (warn_unreadable_) {
    ctx.warn("the account may not read all of it", std::move(missing));
    return;
  }
  throw Error{Errc::source,
              fmt::format("the account may not read all of it: {}", fmt::join(missing, "; ")),
              fmt::format("{}{}", fmt::join(remedies, " "),
                          can_warn_ ? " Or set on_unreadable = \"warn\" to do without." : "")};
}

}  // namespace bp::stages
