#include "bench/stage_syntax.hpp"

#include "config/suggest.hpp"
#include "engine/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

namespace bp::bench {

namespace {

/// A piece of the text that knows where it stands.
struct Piece {
  std::string_view text;
  std::size_t column;  ///< 1-based

  [[nodiscard]] config::Location location() const {
    return {.file = std::make_shared<const std::string>("--stages"),
            .line = 1,
            .column = static_cast<std::uint32_t>(column)};
  }
  [[nodiscard]] std::vector<Piece> split(char separator) const {
    std::vector<Piece> pieces;
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t to = std::min(text.find(separator, from), text.size());
      pieces.push_back({text.substr(from, to - from), column + from});
      from = to + 1;
    }
    return pieces;
  }
};

[[noreturn]] void refuse(const Piece& piece, std::string_view what) {
  throw Error{Errc::config, fmt::format("{}: {}", piece.location().text(), what),
              "Write stages as in gzip:6,gpg or gzip:level=6,gpg:binary=gpg2."};
}

config::Value::Data value_of(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc{} && end == text.data() + text.size()) return number;
  return std::string{text};
}

void add_option(config::Table& table, const Piece& option) {
  const std::size_t equals = option.text.find('=');
  const bool bare = equals == std::string_view::npos;
  const std::string_view key = bare ? "level" : option.text.substr(0, equals);
  const std::string_view value = bare ? option.text : option.text.substr(equals + 1);
  if (key.empty()) refuse(option, "an option without a name");
  if (value.empty()) refuse(option, fmt::format("option '{}' has no value", key));
  if (table.find(key) != nullptr) refuse(option, fmt::format("option '{}' is there twice", key));
  table.entries.push_back(
      {.key = std::string{key},
       .location = option.location(),
       .value = std::make_shared<const config::Value>(value_of(value), option.location())});
}

StageSpec parse_stage(const Piece& stage) {
  const std::size_t colon = stage.text.find(':');
  StageSpec spec{.type = std::string{stage.text.substr(0, colon)}, .options = {}};
  spec.options.location = stage.location();
  if (spec.type.empty()) refuse(stage, "a stage without a name");
  if (colon == std::string_view::npos) return spec;
  const Piece options{stage.text.substr(colon + 1), stage.column + colon + 1};
  for (const Piece& option : options.split(';')) add_option(spec.options, option);
  return spec;
}

const stages::FilterFactory& factory_of(const StageSpec& spec, const stages::Registry& registry) {
  if (const stages::FilterFactory* factory = registry.filter(spec.type)) return *factory;
  const std::vector<std::string_view> known = registry.filter_types();
  const auto nearest = config::nearest_name(spec.type, known);
  throw Error{Errc::config,
              fmt::format("{}: unknown filter type '{}'", spec.options.location.text(), spec.type),
              nearest ? fmt::format("Did you mean '{}'?", *nearest)
                      : fmt::format("There are {}.", fmt::join(known, ", "))};
}

}  // namespace

std::vector<StageSpec> parse_stages(std::string_view text) {
  std::vector<StageSpec> specs;
  if (text.empty()) return specs;
  for (const Piece& stage : Piece{text, 1}.split(',')) specs.push_back(parse_stage(stage));
  return specs;
}

std::vector<stages::FilterType> read_stages(const std::vector<StageSpec>& specs,
                                            const stages::Registry& registry) {
  config::Diagnostics diagnostics;
  std::vector<stages::FilterType> types;
  for (const StageSpec& spec : specs) {
    const stages::FilterFactory& factory = factory_of(spec, registry);
    config::OptionReader options{spec.options, fmt::format("filter.{}", spec.type), diagnostics,
                                 true};
    types.push_back(factory(options));
    options.finish();
  }
  diagnostics.throw_if_any();
  return types;
}

}  // namespace bp::bench
