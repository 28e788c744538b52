// config/options_secret.cpp — the getters of OptionReader for secrets: what they are is never part
// of a message.
#include "config/options.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

namespace bp::config {

SecretRef OptionReader::environment_secret(const std::string& name, std::string place) {
  environment_secrets_.push_back(name);
  SecretRef::Environment from{.name = name};
  if (const char* const value = std::getenv(name.c_str())) from.value = Secret{value};
  return SecretRef{std::move(from), std::move(place)};
}

std::optional<SecretRef> OptionReader::read_secret(std::string_view key, const Value& value) {
  const std::string place = where(key);
  if (const auto* literal = std::get_if<std::string>(&value.data())) {
    if (literal->empty()) {
      fail(key, fmt::format("'{}' is empty", key));
      return std::nullopt;
    }
    if (!literal_secrets_ok_) {
      fail(key, fmt::format("'{}' is written in a file that others can read", key),
           "chmod 600 the job file, or use { file = \"…\" }");
      return std::nullopt;
    }
    return SecretRef{SecretRef::Literal{Secret{*literal}}, place};
  }
  const auto* table = std::get_if<Table>(&value.data());
  if (table != nullptr && table->entries.size() == 1) {
    const Table::Entry& only = table->entries.front();
    const auto* text = std::get_if<std::string>(&only.value->data());
    const bool named = text != nullptr && !text->empty();
    if (only.key == "env" && named) return environment_secret(*text, place);
    if (only.key == "file" && named) return SecretRef{SecretRef::File{absolute(*text)}, place};
    if (only.key == "credential" && named && text->find('/') == std::string::npos) {
      return SecretRef{SecretRef::Credential{*text}, place};
    }
    if (only.key == "command" && std::holds_alternative<Array>(only.value->data())) {
      std::vector<std::string> words = strings("command", *only.value);
      if (!words.empty() && !words.front().empty()) {
        return SecretRef{SecretRef::Command{std::move(words)}, place};
      }
    }
  }
  diagnostics_.add(
      value.location(), fmt::format("'{}' must be a secret", key),
      "{ file = \"/path\" }, { env = \"NAME\" }, { command = [\"pass\", \"show\", \"x\"] }, "
      "{ credential = \"x\" } or a string");
  return std::nullopt;
}

std::optional<SecretRef> OptionReader::optional_secret(std::string_view key) {
  const Value* value = take(key);
  if (value == nullptr) return std::nullopt;
  std::optional<SecretRef> secret = read_secret(key, *value);
  if (secret) resolve(key, value, secret->describe());
  return secret;
}

std::optional<SecretRef> OptionReader::secret(std::string_view key) {
  if (require(key) == nullptr) return std::nullopt;
  return optional_secret(key);
}

}  // namespace bp::config
