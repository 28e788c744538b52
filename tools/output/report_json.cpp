#include "tools/output/report_json.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace bp::tools {

namespace {

using Json = nlohmann::ordered_json;

std::string iso8601(std::chrono::system_clock::time_point moment) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(moment)));
}

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>{time}.count();
}

Json error_json(const Error& error) {
  Json json{{"code", to_string(error.code())}, {"message", error.what()}};
  if (!error.hint().empty()) json["hint"] = error.hint();
  return json;
}

Json sink_json(const SinkReport& sink) {
  Json json{{"name", sink.name}, {"required", sink.required}, {"stored", sink.receipt.has_value()}};
  if (sink.receipt) {
    json["location"] = sink.receipt->location;
    json["bytes"] = sink.receipt->bytes;
    if (!sink.receipt->etag.empty()) json["etag"] = sink.receipt->etag;
  }
  if (sink.failure) json["failure"] = error_json(*sink.failure);
  return json;
}

Json stage_json(const StageReport& stage) {
  return {{"name", stage.name},
          {"bytes_in", stage.bytes_in},
          {"bytes_out", stage.bytes_out},
          {"seconds_waiting_for_input", seconds(stage.blocked_in)},
          {"seconds_waiting_for_output", seconds(stage.blocked_out)},
          {"cpu_seconds", seconds(stage.cpu)},
          {"notes", stage.notes}};
}

Json source_json(const SourceReport& source) {
  Json json{{"id", source.id},
            {"name", source.display_name},
            {"type", source.kind},
            {"outcome", to_string(source.outcome)},
            {"started", source.started},
            {"began", iso8601(source.began)},
            {"ended", iso8601(source.ended)}};
  if (source.cause) json["cause"] = error_json(*source.cause);
  json["secondary"] = Json::array();
  for (const Error& error : source.secondary) json["secondary"].push_back(error_json(error));
  json["warnings"] = Json::array();
  for (const Warning& warning : source.warnings) {
    json["warnings"].push_back(
        {{"stage", warning.stage}, {"text", warning.text}, {"lines", warning.lines}});
  }
  json["destinations"] = Json::array();
  for (const SinkReport& sink : source.sinks) json["destinations"].push_back(sink_json(sink));
  json["stages"] = Json::array();
  for (const StageReport& stage : source.stages) json["stages"].push_back(stage_json(stage));
  json["left_behind"] = source.left_behind;
  return json;
}

[[noreturn]] void cannot_write(const std::string& file) {
  throw Error{Errc::destination,
              fmt::format("unable to write the report '{}': {}", file, system_reason(errno))};
}

}  // namespace

std::string report_json(const RunReport& report, int exit_status) {
  Json json{{"format_version", 1},
            {"run_id", report.run_id},
            {"job", report.job},
            {"hostname", report.hostname},
            {"version", report.version},
            {"began", iso8601(report.began)},
            {"ended", iso8601(report.ended)},
            {"exit_status", exit_status}};
  json["sources"] = Json::array();
  for (const SourceReport& source : report.sources) json["sources"].push_back(source_json(source));
  json["warnings"] = report.warnings;
  json["left_behind"] = report.left_behind;
  // What a server or a file name contributed need not be UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_report(const std::string& file, const std::string& text) {
  if (file == "-") {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
      cannot_write("standard output");
    }
    return;
  }
  const std::string temporary = file + ".part";
  std::FILE* out = std::fopen(temporary.c_str(), "we");
  if (out == nullptr) cannot_write(temporary);
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  const bool flushed = std::fclose(out) == 0;
  if (!written || !flushed || std::rename(temporary.c_str(), file.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    cannot_write(file);
  }
}

}  // namespace bp::tools
