// config/secret.hpp — secrets as a type that cannot be printed.
//
// A job file names secrets (SecretRef); a run resolves them just before it needs them (Secret).
// Neither has an operator<<, a formatter, or an implicit conversion: the only way out is reveal(),
// which is easy to grep for and to review.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bp::config {

/// A string that cannot be logged by accident: no operator<<, no formatter, only reveal().
/// The memory is wiped when the last owner lets go of it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);
  Secret(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret();

  [[nodiscard]] const std::string& reveal() const noexcept;
  [[nodiscard]] bool empty() const noexcept;

 private:
  std::string value_;
};

/// Where a secret comes from, as written in the job file. Holding one proves nothing about the
/// secret's existence: `check` and `plan` never resolve it, preflight does
/// (stages/support/secret_resolver).
class SecretRef {
 public:
  struct Literal {
    Secret value;
  };
  /// Taken from the environment when the job file is read, so that the program can then remove it
  /// there: libraries start helpers with our whole environment. Without a value: it was not set.
  struct Environment {
    std::string name;
    std::optional<Secret> value{};
  };
  struct File {
    std::string path;
  };
  struct Command {
    std::vector<std::string> argv;
  };
  struct Credential {
    std::string name;
  };  ///< systemd: a file below $CREDENTIALS_DIRECTORY
  using Origin = std::variant<Literal, Environment, File, Command, Credential>;

  /// `where` is the key with its place, for messages: "job.toml:12:14: 'passphrase'".
  SecretRef(Origin origin, std::string where);

  [[nodiscard]] const Origin& origin() const noexcept;
  [[nodiscard]] const std::string& where() const noexcept;
  /// Printable: "env NAME", "file /path", "command pass", "credential x", "written in the job
  /// file".
  [[nodiscard]] std::string describe() const;

 private:
  Origin origin_;
  std::string where_;
};

}  // namespace bp::config
