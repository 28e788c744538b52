#include "config/job.hpp"

#include "engine/error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace bp::config {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::StartsWith;

JobSpec good_job(std::string_view text) {
  Diagnostics diagnostics;
  JobSpec spec = parse_job(text, "nightly.toml", true, diagnostics);
  diagnostics.throw_if_any();
  return spec;
}

constexpr std::string_view smallest =
    "[source.etc]\ntype = \"folder\"\n[destination.nas]\ntype = \"file\"\n";

TEST(Job, HasDefaultsForAllThatIsNotWritten) {
  const JobSpec spec = good_job(smallest);

  EXPECT_EQ(spec.job.name, "nightly");
  EXPECT_FALSE(spec.job.hostname.empty());
  EXPECT_EQ(spec.job.memory_bytes, 128U << 20);
  EXPECT_EQ(spec.job.chunk_bytes, 256U << 10);
  EXPECT_EQ(spec.job.object, "/{hostname}/{date}/{id}.{ext}");
  EXPECT_EQ(spec.job.timezone, "UTC");
  EXPECT_EQ(spec.job.on_exists, OnExists::suffix);
  EXPECT_EQ(spec.job.manifest_detail, ManifestDetail::normal);
  EXPECT_EQ(spec.job.max_parallel, 1U);
  EXPECT_EQ(spec.job.min_success, 0U);
  EXPECT_FALSE(spec.job.all_or_nothing);
  EXPECT_EQ(spec.sources.at(0).display_name, "etc");
  EXPECT_TRUE(spec.destinations.at(0).required);
  EXPECT_FALSE(spec.destinations.at(0).plaintext_ok);
  EXPECT_FALSE(spec.destinations.at(0).max_stall.has_value());
}

TEST(Job, ReadsAllThatCanBeWritten) {
  const JobSpec spec = good_job(R"([job]
name = "weekly"
hostname = "web1.example.com"
memory = "64MiB"
chunk = "64KiB"
pipeline = ["gzip", "gpg"]
object = "{job}/{id}.{ext}"
timezone = "Europe/Berlin"
on_exists = "fail"
manifest_detail = "full"
max_parallel = 2
all_or_nothing = true
min_success = 1
warnings_ok = true
[source.etc]
type = "folder"
name = "The settings"
pipeline = ["gpg"]
destinations = ["nas"]
passphrase = { env = "PASS" }
min_success = 1
all_or_nothing = false
[source.db]
type = "command"
[filter.gzip]
level = 9
[filter.mine]
type = "gpg"
from = "db"
[destination.nas]
type = "file"
required = false
plaintext_ok = true
pipeline = []
max_stall = "5m"
[destination.tape]
type = "file"
from = "mine"
[notify.ops]
type = "smtp"
)");

  EXPECT_EQ(spec.job.name, "weekly");
  EXPECT_EQ(spec.job.hostname, "web1.example.com");
  EXPECT_EQ(spec.job.memory_bytes, 64U << 20);
  EXPECT_EQ(spec.job.chunk_bytes, 64U << 10);
  EXPECT_THAT(spec.job.pipeline, ElementsAre("gzip", "gpg"));
  EXPECT_EQ(spec.job.on_exists, OnExists::fail);
  EXPECT_EQ(spec.job.manifest_detail, ManifestDetail::full);
  EXPECT_EQ(spec.job.max_parallel, 2U);
  EXPECT_TRUE(spec.job.all_or_nothing);
  EXPECT_EQ(spec.job.min_success, 1U);
  EXPECT_TRUE(spec.job.warnings_ok);
  const SourceSection& etc = spec.sources.at(0);
  EXPECT_EQ(etc.display_name, "The settings");
  EXPECT_EQ(etc.passphrase->describe(), "env PASS");
  EXPECT_EQ(etc.min_success, 1U);
  EXPECT_EQ(etc.all_or_nothing, false);
  EXPECT_EQ(spec.find_filter("gzip")->type, "gzip");
  EXPECT_EQ(spec.find_filter("mine")->type, "gpg");
  EXPECT_EQ(spec.find_filter("mine")->from, "db");
  EXPECT_EQ(spec.find_filter("other"), nullptr);
  EXPECT_EQ(spec.find_destination("nas")->max_stall, seconds{300});
  EXPECT_EQ(spec.find_destination("tape")->from, "mine");
  EXPECT_EQ(spec.notifiers.at(0).type, "smtp");
}

TEST(Job, TakesTheNearestPipelineAndTheDestinationsInTheOrderOfTheFile) {
  const JobSpec spec = good_job(R"([job]
pipeline = ["job"]
[source.plain]
type = "t"
[source.own]
type = "t"
pipeline = ["source"]
destinations = ["two", "one"]
[destination.one]
type = "t"
[destination.two]
type = "t"
pipeline = ["destination"]
[destination.three]
type = "t"
)");
  const SourceSection& plain = spec.sources.at(0);
  const SourceSection& own = spec.sources.at(1);

  EXPECT_THAT(spec.pipeline_between(plain, *spec.find_destination("one")), ElementsAre("job"));
  EXPECT_THAT(spec.pipeline_between(own, *spec.find_destination("one")), ElementsAre("source"));
  EXPECT_THAT(spec.pipeline_between(own, *spec.find_destination("two")),
              ElementsAre("destination"));
  EXPECT_THAT(spec.destinations_of(own),
              ElementsAre(spec.find_destination("one"), spec.find_destination("two")));
  EXPECT_EQ(spec.destinations_of(plain).size(), 3U);
}

class JobFile : public ::testing::Test {
 protected:
  std::filesystem::path write(std::string_view name, std::string_view text, mode_t mode) {
    const std::filesystem::path file = folder / name;
    test::write_text(file, text);
    EXPECT_EQ(::chmod(file.c_str(), mode), 0);
    return file;
  }
  test::TemporaryFolder folder;
};

TEST_F(JobFile, TakesALiteralSecretOnlyWhereNobodyElseCanReadIt) {
  const std::string text =
      "[source.etc]\ntype = \"folder\"\npassphrase = \"swordfish\"\n"
      "[destination.nas]\ntype = \"file\"\n";
  Diagnostics none;
  const JobSpec spec = load_job(write("job.toml", text, 0600), none);
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(spec.literal_secrets_ok);

  Diagnostics one;
  (void)load_job(write("open.toml", text, 0644), one);
  ASSERT_EQ(one.all().size(), 1U);
  EXPECT_EQ(one.all()[0].message, "'passphrase' is written in a file that others can read");
}

TEST_F(JobFile, ThrowsWhenItCannotBeTrustedWithOrWithoutSecrets) {
  Diagnostics diagnostics;
  EXPECT_THROW((void)load_job(write("job.toml", smallest, 0620), diagnostics), Error);
  EXPECT_THROW((void)load_job(folder / "absent.toml", diagnostics), Error);
}

TEST_F(JobFile, TakesPathsFromTheFolderOfTheFileAndNotOfALinkToIt) {
  const std::filesystem::path real =
      write("real/job.toml",
            "[source.etc]\ntype = \"folder\"\npassphrase = { file = \"pass\" }\nx = 1\n"
            "[destination.nas]\ntype = \"file\"\n[job]\nchunk = 1\n",
            0600);
  const std::filesystem::path link = folder / "link.toml";
  std::filesystem::create_symlink(real, link);

  Diagnostics diagnostics;
  const JobSpec spec = load_job(link, diagnostics);

  const std::string canonical = std::filesystem::canonical(real).string();
  EXPECT_EQ(spec.file, canonical);
  EXPECT_EQ(spec.job.name, "link");
  EXPECT_EQ(spec.sources.at(0).passphrase->describe(),
            "file " + std::filesystem::canonical(folder / "real").string() + "/pass");
  ASSERT_EQ(diagnostics.all().size(), 1U);
  EXPECT_THAT(diagnostics.all()[0].text(), StartsWith(canonical + ":8:1: "));
}

}  // namespace
}  // namespace bp::config
