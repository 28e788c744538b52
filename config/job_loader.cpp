// config/job_loader.cpp — reads the tables of a job file that need no knowledge of a stage type.
#include "config/job.hpp"
#include "config/job_references.hpp"
#include "config/job_settings.hpp"
#include "config/lexical_guard.hpp"
#include "config/placeholders.hpp"
#include "config/suggest.hpp"
#include "config/trusted_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

namespace bp::config {

namespace {

// Every source meets every destination, so the work grows with the product of their numbers.
constexpr std::size_t most_streams = 1000;  ///< sources, and filters
constexpr std::size_t most_places = 64;     ///< destinations, and notifiers

class JobLoader {
 public:
  JobLoader(JobSpec& spec, Diagnostics& diagnostics) : spec_{spec}, diagnostics_{diagnostics} {}

  void load(const Table& root) {
    Table no_job;
    no_job.location = root.location;
    bool job_read = false;
    for (const Table::Entry& entry : root.entries) {
      if (entry.key == "job") {
        if (const Table* table = table_of(entry, "[job]")) read_job(*table);
        job_read = true;
      } else if (entry.key == "source") {
        each(entry, most_streams, [this](const auto& named) { read_source(named); });
      } else if (entry.key == "filter") {
        each(entry, most_streams, [this](const auto& named) { read_filter(named); });
      } else if (entry.key == "destination") {
        each(entry, most_places, [this](const auto& named) { read_destination(named); });
      } else if (entry.key == "notify") {
        each(entry, most_places, [this](const auto& named) {
          Section section;
          read_section(named, "notify", section);
          spec_.notifiers.push_back(std::move(section));
        });
      } else {
        constexpr std::array<std::string_view, 5> known{"job", "source", "filter", "destination",
                                                        "notify"};
        diagnostics_.add(entry.location, fmt::format("unknown table or key '{}'", entry.key),
                         diagnostics_.crowded() ? "" : hint_for_unknown(entry.key, known));
      }
    }
    if (!job_read) read_job(no_job);
    check_references(spec_, root.location, diagnostics_);
  }

 private:
  /// [source.etc] and its like: a key with its table.
  struct Named {
    const Table::Entry& entry;
    const Table& table;
  };

  const Table* table_of(const Table::Entry& entry, std::string_view what) {
    const auto* table = std::get_if<Table>(&entry.value->data());
    if (table == nullptr) {
      diagnostics_.add(entry.location,
                       fmt::format("{} must be a table, not {}", what, entry.value->type_name()));
    }
    return table;
  }

  template <class Read>
  void each(const Table::Entry& entry, std::size_t most, const Read& read) {
    const Table* tables = table_of(entry, fmt::format("[{}.NAME]", entry.key));
    if (tables == nullptr) return;
    if (tables->entries.size() > most) {
      diagnostics_.add(tables->entries[most].location,
                       fmt::format("more than {} [{}.NAME] tables", most, entry.key),
                       "split the job file");
    }
    for (const Table::Entry& one :
         std::span{tables->entries}.first(std::min(most, tables->entries.size()))) {
      const std::string title = fmt::format("[{}.{}]", entry.key, one.key);
      const auto* table = std::get_if<Table>(&one.value->data());
      if (table == nullptr) {
        diagnostics_.add(one.location,
                         fmt::format("{} must be a table, not {}", title, one.value->type_name()),
                         fmt::format("write [{}.NAME], then its keys", entry.key));
      } else if (!is_safe_id(one.key)) {
        diagnostics_.add(one.location, fmt::format("'{}' is no name for a {}", one.key, entry.key),
                         "letters, digits, '.', '_' and '-', not beginning with '-'");
      } else {
        read(Named{one, *table});
      }
    }
  }

  OptionReader reader(const Table& table, std::string title) {
    return OptionReader{table, std::move(title), diagnostics_, spec_.literal_secrets_ok};
  }

  void read_job(const Table& table) {
    OptionReader options = reader(table, "job");
    read_job_settings(options, spec_.job);
    options.finish();
    spec_.resolved.emplace_back("job", options.resolved());
  }

  void read_section(const Named& named, std::string_view kind, Section& section) {
    section.id = named.entry.key;
    section.table = named.table;
    section.table.location = named.entry.location;
    OptionReader options = reader(section.table, fmt::format("{}.{}", kind, section.id));
    const bool type_needed = kind == "source" || kind == "destination";
    section.type = type_needed || options.has("type") ? options.text("type") : section.id;
  }

  void read_source(const Named& named) {
    SourceSection source;
    read_section(named, "source", source);
    OptionReader options = reader(source.table, fmt::format("source.{}", source.id));
    source.display_name = options.has("name") ? options.text("name") : source.id;
    if (source.display_name.find_first_of("\r\n") != std::string::npos) {
      options.fail("name", "'name' has a line break", "it goes into the headers of messages");
    }
    if (options.has("pipeline")) source.pipeline = options.names("pipeline");
    if (options.has("destinations")) source.destinations = options.names("destinations");
    source.passphrase = options.optional_secret("passphrase");
    if (options.has("min_success")) {
      source.min_success = static_cast<std::size_t>(
          options.integer("min_success", {.fallback = 0, .min = 0, .max = 64}));
    }
    if (options.has("all_or_nothing")) {
      source.all_or_nothing = options.flag("all_or_nothing", false);
    }
    spec_.resolved.emplace_back(options.title(), options.resolved());
    std::ranges::copy(options.environment_secrets(), std::back_inserter(spec_.environment_secrets));
    spec_.sources.push_back(std::move(source));
  }

  void read_filter(const Named& named) {
    FilterSection filter;
    read_section(named, "filter", filter);
    OptionReader options = reader(filter.table, fmt::format("filter.{}", filter.id));
    filter.from = options.optional_text("from");
    spec_.filters.push_back(std::move(filter));
  }

  void read_destination(const Named& named) {
    DestinationSection destination;
    read_section(named, "destination", destination);
    OptionReader options = reader(destination.table, fmt::format("destination.{}", destination.id));
    destination.required = options.flag("required", true);
    destination.plaintext_ok = options.flag("plaintext_ok", false);
    if (options.has("pipeline")) destination.pipeline = options.names("pipeline");
    destination.from = options.optional_text("from");
    if (destination.from && destination.pipeline) {
      options.fail("from", "'from' and 'pipeline' exclude each other");
    }
    destination.bandwidth = read_bandwidth(options);
    destination.max_stall = options.optional_duration("max_stall");
    if (destination.max_stall && destination.max_stall->count() == 0) {
      options.fail("max_stall", "'max_stall' must be at least 1 second",
                   "leave it out for no limit");
    }
    spec_.resolved.emplace_back(options.title(), options.resolved());
    spec_.destinations.push_back(std::move(destination));
  }

  JobSpec& spec_;
  Diagnostics& diagnostics_;
};

JobSpec read_job_text(std::string_view text, const std::filesystem::path& file,
                      std::string job_name, bool literal_secrets_ok, Diagnostics& diagnostics) {
  JobSpec spec;
  spec.file = file;
  spec.job.name = std::move(job_name);
  spec.literal_secrets_ok = literal_secrets_ok;
  const Table root = parse_toml(text, file.string());
  JobLoader{spec, diagnostics}.load(root);
  return spec;
}

}  // namespace

JobSpec parse_job(std::string_view text, const std::filesystem::path& name, bool literal_secrets_ok,
                  Diagnostics& diagnostics) {
  return read_job_text(text, name, name.stem().string(), literal_secrets_ok, diagnostics);
}

JobSpec load_job(const std::filesystem::path& file, Diagnostics& diagnostics) {
  const TrustedFile trusted = read_trusted_file(file, max_job_file_bytes);
  // Places are named as the file was named to us. A link that leads elsewhere is not the file to
  // mend, and not the folder that relative paths begin in: whoever made the link would choose the
  // files we read.
  const bool as_named = std::filesystem::absolute(file).lexically_normal() == trusted.real_path;
  JobSpec spec = read_job_text(trusted.text, as_named ? file : trusted.real_path,
                               file.stem().string(), !trusted.readable_by_others, diagnostics);
  spec.file = trusted.real_path;
  return spec;
}

}  // namespace bp::config
