#include "stages/destinations/command.hpp"

#include <fmt/format.h>

#include <utility>

namespace bp::stages {

namespace {

class CommandStore final : public Store {
 public:
  explicit CommandStore(CommandSettings settings) : settings_{std::move(settings)} {}

  [[nodiscard]] bool remote() const override { return !settings_.local; }
  [[nodiscard]] bool keeps_manifests() const override { return settings_.manifest; }
  [[nodiscard]] std::string location(const std::string& object) const override {
    return command_location(settings_, object);
  }
  [[nodiscard]] std::unique_ptr<Sink> sink(const BuildContext& context) override {
    return command_sink(settings_, context);
  }
  [[nodiscard]] std::unique_ptr<Source> open(std::string object, Range) override {
    throw cannot(fmt::format("read '{}'", object));
  }
  [[nodiscard]] asio::awaitable<std::vector<ObjectInfo>> list(std::string) override {
    throw cannot("list objects");
    co_return std::vector<ObjectInfo>{};
  }
  [[nodiscard]] asio::awaitable<std::optional<ObjectInfo>> head(std::string object) override {
    throw cannot(fmt::format("look for '{}'", object));
    co_return std::nullopt;
  }
  [[nodiscard]] asio::awaitable<void> remove(std::string object) override {
    throw cannot(fmt::format("remove '{}'", object));
    co_return;
  }
  /// Nothing of it is in any journal.
  [[nodiscard]] asio::awaitable<void> sweep(const JournalEntry&) override { co_return; }

 private:
  [[nodiscard]] Error cannot(std::string_view what) const {
    return Error{
        Errc::destination,
        fmt::format("destination '{}' is a command, which cannot {}", settings_.name, what),
        "A command only stores; look with the means of the place it stores to."};
  }

  const CommandSettings settings_;
};

}  // namespace

std::unique_ptr<Store> command_store(CommandSettings settings) {
  return std::make_unique<CommandStore>(std::move(settings));
}

void register_destination_command(Registry& registry) {
  registry.add_store("command", [](config::OptionReader& options) {
    using namespace std::chrono_literals;
    CommandSettings settings;
    settings.name = options.title().substr(options.title().find('.') + 1);
    settings.argv = options.argv("argv");
    if (options.has("on_abort")) settings.on_abort = options.argv("on_abort");
    options.accept("on_abort");
    settings.environment = options.environment("env");
    if (options.has("working_directory")) {
      settings.working_directory = options.path("working_directory");
    }
    options.accept("working_directory");
    settings.ok_exit = options.integers("ok_exit", {0}, 0, 255);
    const std::chrono::seconds idle = options.duration("idle_timeout", 30min);
    if (idle > 0s) settings.idle_limit = idle;
    settings.local = options.flag("local", false);
    settings.manifest = options.flag("manifest", true);
    return command_store(std::move(settings));
  });
}

}  // namespace bp::stages
