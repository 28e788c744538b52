#include "config/secret.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>

namespace bp::config {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!Streamable<Secret>, "a secret must not be printable");
static_assert(!fmt::is_formattable<Secret>::value, "a secret must not be printable");
static_assert(!std::is_convertible_v<Secret, std::string>, "a secret must not turn into text");

TEST(Secret, GivesItsValueOnlyToWhoAsksForIt) {
  const Secret secret{"swordfish"};
  const Secret copy = secret;
  EXPECT_EQ(copy.reveal(), "swordfish");
  EXPECT_FALSE(copy.empty());
}

TEST(Secret, LeavesNothingInWhatItWasMovedFrom) {
  Secret secret{"a secret that is longer than any short string"};
  const char* old_place = secret.reveal().data();
  const Secret moved = std::move(secret);
  EXPECT_EQ(moved.reveal(), "a secret that is longer than any short string");
  EXPECT_NE(moved.reveal().data(), old_place);
}

TEST(SecretRef, DescribesWhereTheSecretIsAndNotTheSecret) {
  const auto text = [](SecretRef::Origin origin) {
    return SecretRef{std::move(origin), "job.toml:1:1: 'x'"}.describe();
  };
  EXPECT_EQ(text(SecretRef::Literal{Secret{"swordfish"}}), "written in the job file");
  EXPECT_EQ(text(SecretRef::Environment{"PASS"}), "env PASS");
  EXPECT_EQ(text(SecretRef::File{"/etc/pass"}), "file /etc/pass");
  EXPECT_EQ(text(SecretRef::Command{{"pass", "show", "x"}}), "command pass");
  EXPECT_EQ(text(SecretRef::Credential{"x"}), "credential x");
}

}  // namespace
}  // namespace bp::config
