#include "config/secret.hpp"

#include <fmt/format.h>

#include <string.h>

#include <utility>

namespace bp::config {

namespace {

/// The whole buffer, with what short-string optimisation or an earlier, longer value left in it.
void wipe(std::string& value) noexcept {
  value.resize(value.capacity());
  ::explicit_bzero(value.data(), value.size());
  value.clear();
}

}  // namespace

Secret::Secret(std::string value) : value_{value} {
  wipe(value);
}
Secret::Secret(const Secret& other) = default;
Secret::Secret(Secret&& other) noexcept : value_{other.value_} {
  wipe(other.value_);
}
Secret& Secret::operator=(Secret other) noexcept {
  wipe(value_);
  value_.swap(other.value_);
  return *this;
}
Secret::~Secret() {
  wipe(value_);
}

const std::string& Secret::reveal() const noexcept {
  return value_;
}
bool Secret::empty() const noexcept {
  return value_.empty();
}

SecretRef::SecretRef(Origin origin, std::string where)
    : origin_{std::move(origin)}, where_{std::move(where)} {}

const SecretRef::Origin& SecretRef::origin() const noexcept {
  return origin_;
}
const std::string& SecretRef::where() const noexcept {
  return where_;
}

std::string SecretRef::describe() const {
  struct Describe {
    std::string operator()(const Literal&) const { return "written in the job file"; }
    std::string operator()(const Environment& from) const {
      return fmt::format("env {}", from.name);
    }
    std::string operator()(const File& from) const { return fmt::format("file {}", from.path); }
    std::string operator()(const Command& from) const {
      return fmt::format("command {}", from.argv.front());
    }
    std::string operator()(const Credential& from) const {
      return fmt::format("credential {}", from.name);
    }
  };
  return std::visit(Describe{}, origin_);
}

}  // namespace bp::config
