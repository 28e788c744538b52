// stages/support/secret_file.hpp — a secret in a file that exists in memory only, for a child that
// wants a path.
//
// Option files and password files are how database clients take passwords that nobody else may see.
// One on a disk would outlive us; this one has no name, is readable by us alone, and goes with the
// last descriptor.
#pragma once

#include "config/secret.hpp"
#include "stages/support/spawn.hpp"
#include "stages/support/unique_fd.hpp"

#include <string>

namespace bp::stages {

/// An anonymous file of mode 0600 that nobody can change any more. Must outlive the start of the
/// children that it is granted to.
class SecretFile {
 public:
  /// Writes `text` into it. Throws Errc::internal when the kernel has none to give.
  explicit SecretFile(const config::Secret& text);

  /// What ChildOptions::grant takes: the child sees it as descriptor `number`.
  [[nodiscard]] GrantedFd as(int number) const noexcept { return {file_.get(), number}; }
  /// What the child calls it then: "/proc/self/fd/3".
  [[nodiscard]] static std::string path(int number);

 private:
  UniqueFd file_;
};

}  // namespace bp::stages
