#include "tools/output/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace bp::tools {

namespace {

/// The message as a JSON string, so that a line stays one valid object whatever a server said.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& destination) override {
    const nlohmann::json text = std::string{message.payload.data(), message.payload.size()};
    const std::string quoted = text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    destination.append(quoted.data(), quoted.data() + quoted.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

/// Standard error, which others may draw on between two lines.
class SharedTerminal final : public spdlog::sinks::stderr_color_sink_mt {
 public:
  void log(const spdlog::details::log_msg& message) override {
    if (before) before();
    spdlog::sinks::stderr_color_sink_mt::log(message);
    if (after) after();
  }
  std::function<void()> before, after;
};

}  // namespace

void set_up_log(const std::string& level, LogFormat format, const std::string& run_id) {
  const auto logger =
      std::make_shared<spdlog::logger>("backup-pipe", std::make_shared<SharedTerminal>());
  if (format == LogFormat::json) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<JsonMessage>('*');
    const std::string run = run_id.empty() ? "" : fmt::format(R"("run":"{}",)", run_id);
    formatter->set_pattern(
        fmt::format(R"({{"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",{}"message":%*}})", run));
    logger->set_formatter(std::move(formatter));
  } else {
    const std::string run = run_id.empty() ? "" : fmt::format(" [{}]", run_id);
    logger->set_pattern(fmt::format("%Y-%m-%d %H:%M:%S %^%l%${} %v", run));
  }
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(logger);
}

void log_around(std::function<void()> before, std::function<void()> after) {
  for (const auto& sink : spdlog::default_logger()->sinks()) {
    if (auto* const terminal = dynamic_cast<SharedTerminal*>(sink.get())) {
      terminal->before = before;
      terminal->after = after;
    }
  }
}

void log_error(const Error& error) {
  if (error.hint().empty()) {
    spdlog::error("{}", error.what());
  } else {
    spdlog::error("{} ({})", error.what(), error.hint());
  }
}

}  // namespace bp::tools
