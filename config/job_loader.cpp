// config/job_loader.cpp — reads the tables of a job file that need no knowledge of a stage type.
#include "config/job.hpp"
#include "config/job_references.hpp"
#include "config/lexical_guard.hpp"
#include "config/placeholders.hpp"
#include "config/suggest.hpp"
#include "config/trusted_file.hpp"
#include "engine/error.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <span>
#include <utility>

namespace bp::config {

namespace {

// Every source meets every destination, so the work grows with the product of their numbers.
constexpr std::size_t most_streams = 1000;  ///< sources, and filters
constexpr std::size_t most_places = 64;     ///< destinations, and notifiers

std::string this_hostname() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

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

  void check_names(const OptionReader& options, std::string_view key,
                   const std::vector<std::string>& names) {
    std::set<std::string_view> seen;
    std::set<std::string_view> told;
    for (const std::string& name : names) {
      if (!seen.insert(name).second && told.insert(name).second) {
        diagnostics_.add(options.location(key), fmt::format("'{}' is twice in '{}'", name, key));
      }
    }
  }

  void read_job(const Table& table) {
    OptionReader options = reader(table, "job");
    JobSettings& job = spec_.job;
    job.name = options.text("name", job.name);
    job.hostname = options.text("hostname", this_hostname());
    for (const auto& [key, value] : {std::pair{"name", job.name}, {"hostname", job.hostname}}) {
      if (!is_safe_id(value)) {
        options.fail(key,
                     fmt::format("'{}' is '{}', which cannot be part of a file name", key, value),
                     "letters, digits, '.', '_' and '-', not beginning with '-'");
      }
    }
    read_memory(options);
    job.pipeline = options.list("pipeline");
    job.pipeline_location = options.location("pipeline");
    check_names(options, "pipeline", job.pipeline);
    read_object(options);
    const std::string policy = options.choice("on_exists", "suffix", {"suffix", "replace", "fail"});
    job.on_exists = policy == "replace" ? OnExists::replace
                    : policy == "fail"  ? OnExists::fail
                                        : OnExists::suffix;
    const std::string detail = options.choice("manifest_detail", "normal", {"normal", "full"});
    job.manifest_detail = detail == "full" ? ManifestDetail::full : ManifestDetail::normal;
    job.max_parallel = static_cast<std::size_t>(
        options.integer("max_parallel", {.fallback = 1, .min = 1, .max = 64}));
    job.all_or_nothing = options.flag("all_or_nothing", false);
    job.min_success = static_cast<std::size_t>(
        options.integer("min_success", {.fallback = 0, .min = 0, .max = 64}));
    job.warnings_ok = options.flag("warnings_ok", false);
    job.bandwidth = bandwidth(options);
    options.finish();
    spec_.resolved.emplace_back("job", options.resolved());
  }

  static std::optional<std::size_t> bandwidth(OptionReader& options) {
    const std::optional<std::size_t> rate = options.optional_size("bandwidth");
    if (rate == 0) {
      options.fail("bandwidth", "'bandwidth' is 0: nothing would ever be stored",
                   "leave the key out for no limit");
    }
    return rate;
  }

  void read_memory(OptionReader& options) {
    JobSettings& job = spec_.job;
    job.memory_bytes = options.size("memory", job.memory_bytes);
    if (job.memory_bytes < std::size_t{4} << 20) {
      options.fail("memory", "'memory' must be at least 4 MiB");
    }
    job.chunk_bytes = options.size("chunk", job.chunk_bytes);
    const bool power_of_two = (job.chunk_bytes & (job.chunk_bytes - 1)) == 0;
    if (!power_of_two || job.chunk_bytes < std::size_t{16} << 10 ||
        job.chunk_bytes > std::size_t{16} << 20) {
      options.fail("chunk", "'chunk' must be a power of two between 16 KiB and 16 MiB");
      job.chunk_bytes = std::size_t{256} << 10;
    }
  }

  void read_object(OptionReader& options) {
    JobSettings& job = spec_.job;
    job.object = options.text("object", job.object);
    if (const auto problem = check_template(job.object)) {
      options.fail("object", fmt::format("'object' {}", problem->message), problem->hint);
    }
    job.timezone = options.text("timezone", job.timezone);
    try {
      [[maybe_unused]] const WallClock now =
          wall_clock(std::chrono::system_clock::now(), job.timezone);
    } catch (const Error& error) {
      options.fail("timezone", error.what(), std::string{error.hint()});
    }
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
    if (options.has("pipeline")) source.pipeline = options.list("pipeline");
    if (source.pipeline) check_names(options, "pipeline", *source.pipeline);
    if (options.has("destinations")) source.destinations = options.list("destinations");
    if (source.destinations) check_names(options, "destinations", *source.destinations);
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
    if (options.has("pipeline")) destination.pipeline = options.list("pipeline");
    if (destination.pipeline) check_names(options, "pipeline", *destination.pipeline);
    destination.from = options.optional_text("from");
    if (destination.from && destination.pipeline) {
      options.fail("from", "'from' and 'pipeline' exclude each other");
    }
    destination.bandwidth = bandwidth(options);
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
