#include "stages/support/secret_resolver.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/fake_context.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>

namespace bp::stages {
namespace {

using config::SecretRef;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SecretResolverTest : public testing::Test {
 protected:
  std::string resolve(SecretRef::Origin origin) {
    SecretRef reference{std::move(origin), "job.toml:3:1: 'passphrase'"};
    return test::run_on(io, resolve_secret(std::move(reference), ctx)).reveal();
  }
  /// The message of the failure; every one names the key and none is anything but a config error.
  std::string failure(SecretRef::Origin origin) {
    try {
      resolve(std::move(origin));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::config);
      EXPECT_THAT(error.what(), StartsWith("job.toml:3:1: 'passphrase': "));
      return error.what();
    }
    ADD_FAILURE() << "no failure";
    return {};
  }
  SecretRef::Command shell(const std::string& script) { return {{"/bin/sh", "-c", script}}; }
  std::string write(std::string_view text, mode_t mode = 0600) {
    test::write_text(folder / "secret", text);
    chmod((folder / "secret").c_str(), mode);
    return folder / "secret";
  }

  asio::io_context io;
  test::FakeContext ctx{io};
  test::TemporaryFolder folder;
};

TEST_F(SecretResolverTest, TakesALiteralAsItIs) {
  EXPECT_EQ(resolve(SecretRef::Literal{config::Secret{"s3cret\n"}}), "s3cret\n");
}

TEST_F(SecretResolverTest, TakesWhatTheEnvironmentHeldWhenTheJobFileWasRead) {
  EXPECT_EQ(resolve(SecretRef::Environment{"BP_TEST_SECRET", config::Secret{"s3cret"}}), "s3cret");
  EXPECT_THAT(failure(SecretRef::Environment{"BP_TEST_SECRET"}), HasSubstr("is not set"));
}

TEST_F(SecretResolverTest, ReadsAFileWithoutItsLastNewline) {
  EXPECT_EQ(resolve(SecretRef::File{write(" s3 cret \n\n")}), " s3 cret \n");
  EXPECT_EQ(resolve(SecretRef::File{write("s3cret")}), "s3cret");
}

TEST_F(SecretResolverTest, RefusesAFileThatOthersCanWrite) {
  EXPECT_THAT(failure(SecretRef::File{write("s3cret", 0666)}), HasSubstr("secret"));
}

TEST_F(SecretResolverTest, RefusesAnEmptySecret) {
  EXPECT_THAT(failure(SecretRef::File{write("\n")}), HasSubstr("the secret is empty (file "));
  EXPECT_THAT(failure(shell("")), HasSubstr("the secret is empty"));
}

TEST_F(SecretResolverTest, ReadsACredentialOfSystemd) {
  EXPECT_THAT(failure(SecretRef::Credential{"secret"}), HasSubstr("no systemd credential"));
  write("s3cret\n", 0400);
  setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);

  EXPECT_EQ(resolve(SecretRef::Credential{"secret"}), "s3cret");
  EXPECT_THAT(failure(SecretRef::Credential{"../secret"}), HasSubstr("no name of a credential"));

  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(SecretResolverTest, RunsACommandWithNothingOnItsStdin) {
  EXPECT_EQ(resolve(shell("cat; echo s3cret")), "s3cret");
}

TEST_F(SecretResolverTest, ACommandThatFailsGivesNoSecretAndLeaksNone) {
  const std::string message = failure(shell("echo s3cret; echo s3cret >&2; exit 2"));

  EXPECT_THAT(message, HasSubstr("'/bin/sh' ended with exit status 2"));
  EXPECT_THAT(message, Not(HasSubstr("s3cret")));
}

TEST_F(SecretResolverTest, ACommandThatPrintsTooMuchIsStopped) {
  EXPECT_THAT(failure(shell("yes")), HasSubstr("printed more than 65536 bytes"));
}

TEST_F(SecretResolverTest, AMissingCommandIsNamed) {
  EXPECT_THAT(failure(SecretRef::Command{{"no-such-command"}}), HasSubstr("no-such-command"));
}

}  // namespace
}  // namespace bp::stages
