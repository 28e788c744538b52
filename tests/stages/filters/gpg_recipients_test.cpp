// The gpg filter with public keys: real throw-away keys, real gpg, keys that must be refused.
#include "stages/filters/gpg_recipients.hpp"

#include "config/options.hpp"
#include "engine/run.hpp"
#include "stages/filters/gpg_home.hpp"
#include "tests/support/command.hpp"
#include "tests/support/filter_run.hpp"
#include "tests/support/gpg_child.hpp"
#include "tests/support/job_error.hpp"
#include "tests/support/memory_stages.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>

namespace bp::stages {
namespace {

using test::Bytes;
using test::FilterRun;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t chunk = 64 << 10;

/// Somebody's gpg home: the secret keys by name, and what other people get of them.
class KeyOwner {
 public:
  KeyOwner() { std::filesystem::permissions(home_.path(), std::filesystem::perms{0700}); }
  KeyOwner(const KeyOwner&) = delete;
  KeyOwner& operator=(const KeyOwner&) = delete;
  ~KeyOwner() { end_agent(); }

  /// Makes a key for `name`@example.org; `time` is a faked moment or empty.
  const std::string& add(const std::string& name, const std::string& algorithm,
                         const std::string& usage, const std::string& expires,
                         const std::string& time = {}) {
    gpg((time.empty() ? "" : "--faked-system-time " + time + " ") +
        "--passphrase '' --quick-gen-key '" + name + " <" + name + "@example.org>' " + algorithm +
        " " + usage + " " + expires);
    const std::string listed = gpg("--with-colons --list-keys " + name + "@example.org");
    const std::size_t line = listed.find("\nfpr:") + 1;
    return fingerprints_[name] = listed.substr(listed.find_first_not_of(':', line + 3), 40);
  }
  /// A subkey for encryption.
  void add_subkey(const std::string& name, const std::string& algorithm,
                  const std::string& expires = "never") {
    gpg("--passphrase '' --quick-add-key " + fingerprint(name) + " " + algorithm + " encr " +
        expires);
  }
  void revoke(const std::string& name) {
    const std::filesystem::path file = home_ / ("openpgp-revocs.d/" + fingerprint(name) + ".rev");
    std::string text = test::read_text(file);
    text.erase(text.find(":-----"), 1);  // gpg's guard against an import by accident
    test::write_text(file, text);
    gpg("--import " + file.string());
  }
  [[nodiscard]] const std::string& fingerprint(const std::string& name) const {
    return fingerprints_.at(name);
  }
  [[nodiscard]] Bytes exported(const std::string& options = "--armor") const {
    return test::pipe_through(command() + "--export " + options, {}).output;
  }
  [[nodiscard]] std::string path() const { return home_.path().string(); }
  void end_agent() const {
    [[maybe_unused]] const auto done =
        test::pipe_through("gpgconf --homedir " + path() + " --kill all", {});
  }

  /// What gpg makes of `encrypted` when it has this one's secret key and no other.
  [[nodiscard]] Bytes decrypted(const std::string& name, const Bytes& encrypted) const {
    const test::TemporaryFolder alone{test::short_place};
    const std::string mine = "gpg --homedir " + alone.path().string() + " --batch --quiet ";
    const Bytes secret =
        test::pipe_through(command() + "--export-secret-keys " + fingerprint(name), {}).output;
    EXPECT_EQ(test::pipe_through(mine + "--import", secret).status, 0);
    const test::CommandResult result = test::pipe_through(mine + "--decrypt", encrypted);
    EXPECT_EQ(result.status, 0) << name;
    [[maybe_unused]] const auto ended =
        test::pipe_through("gpgconf --homedir " + alone.path().string() + " --kill all", {});
    return result.output;
  }

 private:
  [[nodiscard]] std::string command() const {
    return "gpg --homedir " + path() + " --batch --quiet --pinentry-mode loopback ";
  }
  std::string gpg(const std::string& arguments) const {
    const test::CommandResult result = test::pipe_through(command() + arguments, {});
    EXPECT_EQ(result.status, 0) << arguments;
    return {reinterpret_cast<const char*>(result.output.data()), result.output.size()};
  }

  test::TemporaryFolder home_{test::short_place};
  std::map<std::string, std::string> fingerprints_;
};

class GpgRecipientsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    owner = std::make_unique<KeyOwner>();
    owner->add("ann", "future-default", "default", "never");
    owner->add("bob", "rsa2048", "sign,cert,encr", "never");
    owner->add("signer", "ed25519", "sign", "never");
    owner->add("expired", "future-default", "default", "1y", "20200101T000000");
    owner->add("soon", "future-default", "default", "10d");
    owner->add("revoked", "future-default", "default", "never");
    owner->revoke("revoked");
    owner->end_agent();
  }
  static void TearDownTestSuite() { owner.reset(); }

  GpgRecipientsTest() {
    std::signal(SIGPIPE, SIG_IGN);
    ::setenv("RUNTIME_DIRECTORY", homes.path().c_str(), 1);
    const Bytes keys = owner->exported();
    test::write_text(key_file(), {reinterpret_cast<const char*>(keys.data()), keys.size()});
  }
  ~GpgRecipientsTest() override { ::unsetenv("RUNTIME_DIRECTORY"); }
  void TearDown() override {
    EXPECT_FALSE(::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) << "a child is left";
    EXPECT_TRUE(std::filesystem::is_empty(homes.path())) << "a gpg home is left";
  }

  [[nodiscard]] std::filesystem::path key_file() const { return folder / "keys.asc"; }
  [[nodiscard]] static std::string fingerprint(const std::string& name) {
    return owner->fingerprint(name);
  }
  [[nodiscard]] std::unique_ptr<Filter> filter(std::vector<std::string> recipients) const {
    return gpg_recipients(
        {"gpg", std::move(recipients), {.key_file = key_file(), .gnupg_home = {}}}, nullptr);
  }
  [[nodiscard]] FilterRun run(std::vector<std::string> recipients,
                              std::size_t length = 300'000) const {
    return test::run_filter(filter(std::move(recipients)), test::pattern(length), chunk);
  }
  /// Why nothing was started, with the hint.
  [[nodiscard]] std::string refusal(std::vector<std::string> recipients) const {
    return refusal_of(run(std::move(recipients)));
  }
  [[nodiscard]] static std::string refusal_of(const FilterRun& run) {
    EXPECT_FALSE(run.report.started);
    if (!run.report.cause) return "accepted";
    return std::string{run.report.cause->what()} + " | " + std::string{run.report.cause->hint()};
  }

  static std::unique_ptr<KeyOwner> owner;
  const test::TemporaryFolder homes{test::short_place};
  const test::TemporaryFolder folder{test::short_place};
};

std::unique_ptr<KeyOwner> GpgRecipientsTest::owner;

TEST_F(GpgRecipientsTest, LetsEachRecipientOpenItAlone) {
  const FilterRun made = run({fingerprint("ann"), fingerprint("bob")});

  ASSERT_EQ(made.report.outcome, Outcome::stored) << made.report.cause->what();
  EXPECT_EQ(owner->decrypted("ann", made.output), test::pattern(300'000));
  EXPECT_EQ(owner->decrypted("bob", made.output), test::pattern(300'000));
}

TEST_F(GpgRecipientsTest, IsOpenedWhateverTheLength) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, chunk, std::size_t{5'000'000}}) {
    const FilterRun made = run({fingerprint("bob")}, length);
    ASSERT_EQ(made.report.outcome, Outcome::stored) << length;
    EXPECT_EQ(owner->decrypted("bob", made.output), test::pattern(length)) << length;
  }
}

TEST_F(GpgRecipientsTest, UsesAes256WithACheckAndDoesNotCompress) {
  const FilterRun made = run({fingerprint("ann")});

  const test::CommandResult listed =
      test::pipe_through("gpg --homedir " + owner->path() + " --batch --list-packets", made.output);
  const std::string text{reinterpret_cast<const char*>(listed.output.data()), listed.output.size()};
  EXPECT_THAT(text, HasSubstr("mdc_method: 2"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("compressed packet")));
  const test::CommandResult shown =
      test::pipe_through("gpg --homedir " + owner->path() +
                             " --batch --verbose --status-fd 1 --output /dev/null --decrypt",
                         made.output);
  const std::string status{reinterpret_cast<const char*>(shown.output.data()), shown.output.size()};
  EXPECT_THAT(status, HasSubstr("[GNUPG:] DECRYPTION_INFO 2 9"));  // MDC, AES-256
}

TEST_F(GpgRecipientsTest, TakesFingerprintsAsGpgPrintsThem) {
  std::string spaced;
  for (const char c : fingerprint("ann")) {
    if (spaced.size() % 5 == 4) spaced += ' ';
    spaced += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  EXPECT_EQ(full_fingerprint(spaced), fingerprint("ann"));
  EXPECT_EQ(full_fingerprint(fingerprint("ann").substr(1)), std::nullopt);
  EXPECT_EQ(full_fingerprint("ann@example.org"), std::nullopt);
}

TEST_F(GpgRecipientsTest, TakesKeysThatAreNotArmored) {
  const Bytes keys = owner->exported("");
  test::write_text(key_file(), {reinterpret_cast<const char*>(keys.data()), keys.size()});

  EXPECT_EQ(run({fingerprint("ann")}).report.outcome, Outcome::stored);
}

// ---- keys that are refused before anything starts

TEST_F(GpgRecipientsTest, RefusesAFingerprintThatIsNotThere) {
  const std::string wrong(40, 'A');
  EXPECT_THAT(refusal({fingerprint("ann"), wrong}), HasSubstr("no key " + wrong + " in '"));
}

TEST_F(GpgRecipientsTest, RefusesOtherNamesAndTellsTheFingerprint) {
  const std::string ann = fingerprint("ann");
  const std::string pin = "Pin the key by its fingerprint: " + ann + " (ann <ann@example.org>)";
  for (const std::string& name :
       {std::string{"ann@example.org"}, ann.substr(24), "0x" + ann.substr(32)}) {
    EXPECT_THAT(refusal({name}), AllOf(HasSubstr("recipient '" + name + "' is no full fingerprint"),
                                       HasSubstr(pin)));
  }
}

TEST_F(GpgRecipientsTest, TellsAllKeysThatANameMayMean) {
  EXPECT_THAT(refusal({"example.org"}),
              AllOf(HasSubstr(fingerprint("ann")), HasSubstr(fingerprint("bob"))));
}

TEST_F(GpgRecipientsTest, RefusesAnExpiredKeyAndNamesTheDate) {
  EXPECT_THAT(refusal({fingerprint("expired")}), HasSubstr("expired on 2020-12-31"));
}

TEST_F(GpgRecipientsTest, RefusesARevokedKey) {
  EXPECT_THAT(refusal({fingerprint("revoked")}), HasSubstr("was revoked"));
}

TEST_F(GpgRecipientsTest, RefusesAKeyThatOnlySigns) {
  EXPECT_THAT(refusal({fingerprint("signer")}), HasSubstr("cannot be encrypted to"));
}

TEST_F(GpgRecipientsTest, RefusesAFileThatHasNoKeys) {
  test::write_text(key_file(), "these are no keys\n");
  EXPECT_THAT(refusal({fingerprint("ann")}),
              AllOf(HasSubstr("unable to read keys from"), HasSubstr("no valid OpenPGP data")));
}

TEST_F(GpgRecipientsTest, RefusesAFileThatIsNotThere) {
  std::filesystem::remove(key_file());
  EXPECT_THAT(refusal({fingerprint("ann")}), HasSubstr("No such file"));
}

TEST_F(GpgRecipientsTest, WarnsOfAKeyThatExpiresSoon) {
  const FilterRun made = run({fingerprint("soon"), fingerprint("ann")});

  EXPECT_EQ(made.report.outcome, Outcome::stored_with_warnings);
  ASSERT_EQ(made.report.warnings.size(), 1U);
  EXPECT_THAT(made.report.warnings[0].text,
              AllOf(StartsWith("key " + fingerprint("soon")), HasSubstr("expires in 9 days")));
}

// ---- somebody's own gpg home

TEST_F(GpgRecipientsTest, TakesKeysFromAGnupgHomeAndLeavesItAsItWas) {
  const auto state = [] {
    std::map<std::string, std::filesystem::file_time_type> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{owner->path()}) {
      files[entry.path().string()] = entry.last_write_time();
    }
    return files;
  };
  const auto before = state();

  const FilterRun made = test::run_filter(
      gpg_recipients({"gpg", {fingerprint("ann")}, {.key_file = {}, .gnupg_home = owner->path()}},
                     nullptr),
      test::pattern(300'000), chunk);

  ASSERT_EQ(made.report.outcome, Outcome::stored) << made.report.cause->what();
  EXPECT_EQ(state(), before);  // no lock, no agent's socket
  EXPECT_EQ(owner->decrypted("ann", made.output), test::pattern(300'000));
  owner->end_agent();
}

TEST_F(GpgRecipientsTest, MakesNoKeyringInAFolderThatHasNone) {
  const test::TemporaryFolder empty{test::short_place};
  const FilterRun made = test::run_filter(
      gpg_recipients({"gpg", {fingerprint("ann")}, {.key_file = {}, .gnupg_home = empty.path()}},
                     nullptr),
      test::pattern(1), chunk);

  EXPECT_THAT(refusal_of(made), HasSubstr("no keyring in"));
  EXPECT_TRUE(std::filesystem::is_empty(empty.path()));
}

// ---- death of gpg

TEST_F(GpgRecipientsTest, FailsAtOnceWhenGpgIsKilled) {
  for (int i = 0; i < 10; ++i) {
    auto stored = std::make_shared<test::Stored>();
    const auto [report, plan] = test::run_filter_between(
        std::make_unique<test::GpgKillingSource>(static_cast<std::size_t>(i) * 177'777, i % 2 == 0),
        filter({fingerprint("ann")}), std::make_unique<test::MemorySink>(stored), chunk);
    ASSERT_EQ(report.outcome, Outcome::failed) << i;
    EXPECT_EQ(stored->commits, 0) << i;
    ASSERT_TRUE(report.cause) << i;
    EXPECT_THAT(report.cause->what(), StartsWith("filter: gpg was killed by signal 9 (Killed)"));
  }
}

// ---- the job file

std::string job(const std::string& filter, const std::string& source = {}) {
  return "[job]\npipeline = [\"gpg\"]\n[source.etc]\ntype = \"folder\"\npath = \"/etc\"\n" +
         source + "[filter.gpg]\n" + filter +
         "[destination.local]\ntype = \"file\"\npath = \"/srv\"\n";
}

const std::string pinned = "recipients = [\"" + std::string(40, 'A') + "\"]\n";

TEST(GpgRecipientsOptions, NeedNoPassphraseAndIgnoreTheSources) {
  const std::string filter = pinned + "key_file = \"keys.asc\"\n";
  EXPECT_EQ(test::job_error(job(filter)), "ok");
  EXPECT_EQ(test::job_error(job(filter, "passphrase = { env = \"P\" }\n")), "ok");
}

TEST(GpgRecipientsOptions, ExcludeAPassphrase) {
  EXPECT_THAT(
      test::job_error(job(pinned + "key_file = \"keys.asc\"\npassphrase = { env = \"P\" }\n")),
      HasSubstr("'recipients' and 'passphrase' exclude each other"));
}

TEST(GpgRecipientsOptions, NeedExactlyOneOriginOfKeys) {
  EXPECT_THAT(test::job_error(job(pinned)),
              HasSubstr("'recipients' needs 'key_file' or 'gnupg_home'"));
  EXPECT_THAT(test::job_error(job(pinned + "key_file = \"a\"\ngnupg_home = \"b\"\n")),
              HasSubstr("'key_file' and 'gnupg_home' exclude each other"));
}

TEST(GpgRecipientsOptions, AreNotEmptyAndNameNoKeyTwice) {
  EXPECT_THAT(test::job_error(job("recipients = []\nkey_file = \"a\"\n")),
              HasSubstr("'recipients' is empty"));
  const std::string twice =
      "recipients = [\"" + std::string(40, 'A') + "\", \"" + std::string(40, 'a') + "\"]\n";
  EXPECT_THAT(test::job_error(job(twice + "key_file = \"a\"\n")), HasSubstr("is there twice"));
}

TEST(GpgRecipientsOptions, KeysWithoutRecipientsAreAMistake) {
  EXPECT_THAT(test::job_error(job("passphrase = { env = \"P\" }\nkey_file = \"a\"\n")),
              HasSubstr("'key_file' needs 'recipients'"));
}

}  // namespace
}  // namespace bp::stages
