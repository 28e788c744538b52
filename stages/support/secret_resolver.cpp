#include "stages/support/secret_resolver.hpp"

#include "config/trusted_file.hpp"
#include "stages/support/child_process.hpp"

#include <fmt/format.h>

#include <string.h>

#include <cstdlib>
#include <utility>
#include <variant>

namespace bp::stages {

namespace {

using config::Secret;
using config::SecretRef;

constexpr std::size_t max_secret_bytes = std::size_t{64} << 10;
constexpr std::chrono::seconds command_limit{30};

/// Ends the life of a plain copy: a Secret wipes its own memory only.
Secret take(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  Secret secret{text};
  ::explicit_bzero(text.data(), text.size());
  text.clear();
  return secret;
}

Secret from_environment(const SecretRef::Environment& variable) {
  if (!variable.value) {
    throw Error{Errc::config, fmt::format("the environment variable {} is not set", variable.name)};
  }
  return *variable.value;
}

Secret from_file(const std::string& path) {
  config::TrustedFile file = config::read_trusted_file(path, max_secret_bytes);
  return take(file.text);
}

Secret from_credential(const std::string& name) {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) {
    throw Error{Errc::config, fmt::format("there is no systemd credential '{}'", name),
                "Credentials exist only in a systemd unit that has LoadCredential= for them."};
  }
  if (name.empty() || name.find('/') != std::string::npos) {
    throw Error{Errc::config, fmt::format("'{}' is no name of a credential", name)};
  }
  return from_file(fmt::format("{}/{}", folder, name));
}

asio::awaitable<Secret> from_command(std::vector<std::string> argv, StageContext& ctx) {
  const std::string program = argv.front();
  ChildOptions options{.argv = std::move(argv)};
  CommandResult result =
      co_await run_command(ctx, std::move(options), command_limit, max_secret_bytes);
  Secret secret = take(result.output);
  if (!result.status.success()) {
    // Its messages stay out of ours: a careless command prints what it was asked for there, too.
    throw Error{Errc::config, fmt::format("'{}' ended with {}", program, result.status.text()),
                "Run the command by hand, as the user that runs backup-pipe."};
  }
  co_return secret;
}

asio::awaitable<Secret> resolve(const SecretRef& reference, StageContext& ctx) {
  const SecretRef::Origin& origin = reference.origin();
  if (const auto* literal = std::get_if<SecretRef::Literal>(&origin)) co_return literal->value;
  if (const auto* variable = std::get_if<SecretRef::Environment>(&origin)) {
    co_return from_environment(*variable);
  }
  if (const auto* file = std::get_if<SecretRef::File>(&origin)) co_return from_file(file->path);
  if (const auto* credential = std::get_if<SecretRef::Credential>(&origin)) {
    co_return from_credential(credential->name);
  }
  co_return co_await from_command(std::get<SecretRef::Command>(origin).argv, ctx);
}

}  // namespace

asio::awaitable<Secret> resolve_secret(SecretRef reference, StageContext& ctx) {
  Secret secret;
  try {
    secret = co_await resolve(reference, ctx);
  } catch (const Error& error) {
    if (error.is_consequence()) throw;
    // Whatever kept it from us, a child's failure included: what has to be mended is the job file's
    // key.
    throw Error{Errc::config, fmt::format("{}: {}", reference.where(), error.what()),
                std::string{error.hint()}};
  }
  if (secret.empty()) {
    throw Error{Errc::config, fmt::format("{}: the secret is empty ({})", reference.where(),
                                          reference.describe())};
  }
  co_return secret;
}

}  // namespace bp::stages
