#include "bench/s3_replies.hpp"

#include "engine/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace bp::bench {

namespace {

constexpr std::string_view line_end = "\r\n";

std::string lower(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string reply(std::string_view status, std::string_view headers, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers,
                     body);
}

S3Memory::Reply plain(std::string_view status) {
  return {.text = reply(status, "", "")};
}

/// 204 is the one that must not have a Content-Length.
constexpr std::string_view no_content = "HTTP/1.1 204 No Content\r\n\r\n";

/// Base64 as hexadecimal digits: of a Content-MD5 that is the ETag which S3 itself would give.
std::string hex_of_base64(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string hex;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) break;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    hex += fmt::format("{:02x}", (bits >> static_cast<unsigned>(count)) & 0xFFU);
  }
  return hex;
}

/// ETag and the checksums that came with the body, as a client that compares them expects.
std::string proof_of(const S3Request& request) {
  const std::string md5 = hex_of_base64(request.header("content-md5"));
  std::string headers =
      fmt::format("ETag: \"{}\"\r\n", md5.empty() ? "d41d8cd98f00b204e9800998ecf8427e" : md5);
  for (const auto& [name, value] : request.headers) {
    if (name.starts_with("x-amz-checksum-")) headers += fmt::format("{}: {}\r\n", name, value);
  }
  return headers;
}

int number_of(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string S3Request::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string{} : found->second;
}

bool S3Request::has_parameter(std::string_view name) const {
  const std::string all = '&' + query;
  const std::string wanted = fmt::format("&{}", name);
  for (std::size_t at = all.find(wanted); at != std::string::npos; at = all.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    if (end == all.size() || all[end] == '=' || all[end] == '&') return true;
  }
  return false;
}

std::string S3Request::parameter(std::string_view name) const {
  const std::string all = '&' + query;
  const std::string wanted = fmt::format("&{}=", name);
  const std::size_t at = all.find(wanted);
  if (at == std::string::npos) return {};
  const std::size_t from = at + wanted.size();
  return all.substr(from, all.find('&', from) - from);
}

S3Request parse_request(std::string_view head) {
  const auto take_line = [&head] {
    const std::size_t end = head.find(line_end);
    if (end == std::string_view::npos) throw Error{Errc::internal, "an HTTP line without an end"};
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + line_end.size());
    return line;
  };
  const std::string_view first = take_line();
  const std::size_t target = first.find(' '), version = first.rfind(" HTTP/1.1");
  if (version == std::string_view::npos || target >= version) {
    throw Error{Errc::internal, fmt::format("no HTTP/1.1 request: '{}'", first)};
  }
  const std::string_view uri = first.substr(target + 1, version - target - 1);
  const std::size_t question = std::min(uri.find('?'), uri.size());
  S3Request request{.method = std::string{first.substr(0, target)},
                    .path = std::string{uri.substr(0, question)},
                    .query = std::string{uri.substr(std::min(question + 1, uri.size()))},
                    .headers = {}};
  for (std::string_view line = take_line(); !line.empty(); line = take_line()) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) throw Error{Errc::internal, "an HTTP header without ':'"};
    const std::string_view value = line.substr(colon + 1);
    const std::size_t begin = std::min(value.find_first_not_of(" \t"), value.size());
    request.headers.insert_or_assign(lower(line.substr(0, colon)),
                                     std::string{value.substr(begin)});
  }
  return request;
}

S3Memory::Reply S3Memory::complete(const S3Request& request) {
  const auto found = uploads_.find(request.parameter("uploadId"));
  if (found == uploads_.end()) return plain("404 Not Found");
  std::uint64_t bytes = 0;
  for (const auto& [number, size] : found->second.parts) bytes += size;
  const std::size_t parts = found->second.parts.size();
  objects_.insert_or_assign(found->second.path, bytes);
  uploads_.erase(found);
  return {.text = reply("200 OK", "Content-Type: application/xml\r\n",
                        fmt::format("<CompleteMultipartUploadResult><Key>{}</Key><ETag>"
                                    "\"00000000000000000000000000000000-{}\"</ETag>"
                                    "</CompleteMultipartUploadResult>",
                                    request.path, parts)),
          .event = Event::completed};
}

S3Memory::Reply S3Memory::answer(const S3Request& request, std::uint64_t body_bytes) {
  const std::string id = request.parameter("uploadId");
  if (request.method == "POST" && request.has_parameter("uploads")) {
    const std::string fresh = fmt::format("upload-{}", next_upload_++);
    uploads_.insert_or_assign(fresh, Upload{.path = request.path, .parts = {}});
    return {.text = reply("200 OK", "Content-Type: application/xml\r\n",
                          fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                                      "</InitiateMultipartUploadResult>",
                                      fresh))};
  }
  if (request.method == "POST" && !id.empty()) return complete(request);
  if (request.method == "PUT" && !id.empty()) {
    const auto upload = uploads_.find(id);
    if (upload == uploads_.end()) return plain("404 Not Found");
    upload->second.parts.insert_or_assign(number_of(request.parameter("partNumber")), body_bytes);
    return {.text = reply("200 OK", proof_of(request), ""), .event = Event::part};
  }
  if (request.method == "PUT" && request.query.empty()) {
    objects_.insert_or_assign(request.path, body_bytes);
    return {.text = reply("200 OK", proof_of(request), "")};
  }
  if (request.method == "DELETE" && !id.empty()) {
    if (uploads_.erase(id) == 0) return plain("404 Not Found");
    return {.text = std::string{no_content}, .event = Event::aborted};
  }
  if (request.method == "DELETE") {
    objects_.erase(request.path);
    return {.text = std::string{no_content}};
  }
  if (request.method == "HEAD") {
    const auto object = objects_.find(request.path);
    if (object == objects_.end()) return plain("404 Not Found");
    return {.text = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", object->second)};
  }
  return plain("501 Not Implemented");
}

}  // namespace bp::bench
