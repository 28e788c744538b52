#include "config/secret.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <new>
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

/// True when the bytes of an object still hold "swordfish", which fits into a string without the
/// heap.
bool holds_swordfish(const void* object) {
  const std::string_view bytes{static_cast<const char*>(object), sizeof(Secret)};
  return bytes.find("swordfish") != std::string_view::npos;
}

TEST(Secret, WipesWhatItsOwnMemoryHeld) {
  alignas(Secret) std::array<std::byte, sizeof(Secret)> memory{};
  auto* secret = ::new (memory.data()) Secret{"swordfish"};
  ASSERT_TRUE(holds_swordfish(memory.data()));
  secret->~Secret();
  EXPECT_FALSE(holds_swordfish(memory.data()));

  secret = ::new (memory.data()) Secret{"swordfish"};
  const Secret moved = std::move(*secret);
  EXPECT_FALSE(holds_swordfish(memory.data()));
  *secret = moved;
  ASSERT_TRUE(holds_swordfish(memory.data()));
  *secret = Secret{"x"};
  EXPECT_FALSE(holds_swordfish(memory.data()));
  secret->~Secret();
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
