#include "stages/store/manifest.hpp"

#include "stages/support/utc_time.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <regex>

namespace bp::test {
namespace {

using nlohmann::json;
using stages::ManifestInput;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// What of JSON schema docs/manifest.schema.json uses, and no more: every violation as "/path:
/// what".
class SchemaCheck {
 public:
  explicit SchemaCheck(const json& schema) : root_{schema} {}

  [[nodiscard]] std::vector<std::string> violations(const json& value) {
    found_.clear();
    check(value, root_, "");
    return found_;
  }

 private:
  void check(const json& value, const json& schema, const std::string& path) {
    if (schema.contains("$ref")) {
      check(value, root_.at(json::json_pointer{schema.at("$ref").get<std::string>().substr(1)}),
            path);
    }
    if (schema.contains("const") && value != schema.at("const")) complain(path, "not the constant");
    if (schema.contains("type") && !has_type(value, schema.at("type"))) {
      complain(path, "wrong type");
      return;
    }
    if (schema.contains("minimum") && value < schema.at("minimum")) complain(path, "too small");
    if (schema.contains("pattern") &&
        !std::regex_search(value.get<std::string>(),
                           std::regex{schema.at("pattern").get<std::string>()})) {
      complain(path, "does not match the pattern");
    }
    if (value.is_object()) check_object(value, schema, path);
    if (!value.is_array() || !schema.contains("items")) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
      check(value[i], schema.at("items"), path + "/" + std::to_string(i));
    }
  }

  void check_object(const json& value, const json& schema, const std::string& path) {
    const json properties = schema.value("properties", json::object());
    const json others = schema.value("additionalProperties", json(true));
    for (const auto& name : schema.value("required", json::array())) {
      if (!value.contains(name)) complain(path + "/" + name.get<std::string>(), "missing");
    }
    for (const auto& [name, member] : value.items()) {
      if (properties.contains(name)) {
        check(member, properties.at(name), path + "/" + name);
      } else if (others.is_object()) {
        check(member, others, path + "/" + name);
      } else if (others == json(false)) {
        complain(path + "/" + name, "unknown");
      }
    }
  }

  static bool has_type(const json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    return type == "integer" && value.is_number_integer();
  }
  void complain(const std::string& path, const std::string& what) {
    found_.push_back(path + ": " + what);
  }

  const json& root_;
  std::vector<std::string> found_;
};

std::vector<std::string> violations(const std::string& manifest) {
  const json schema = json::parse(read_text(MANIFEST_SCHEMA));
  return SchemaCheck{schema}.violations(json::parse(manifest));
}

ManifestInput example() {
  ManifestInput input;
  input.run_id = "20261123-020000-ab12";
  input.job = "nightly";
  input.hostname = "web1.example.com";
  input.tool_version = "0.1.0";
  input.source_id = "etc";
  input.source_name = "Configuration";
  input.source_type = "folder";
  input.destination = "offsite";
  input.object = "web1.example.com/2026-11-23/etc.tar.gz.gpg";
  input.began = *stages::parse_utc("2026-11-23T02:00:00Z");
  input.ended = *stages::parse_utc("2026-11-23T02:10:00Z");
  input.raw = {.bytes = 5'000'000'000, .sha256 = std::string(64, 'a')};
  input.stored = {.bytes = 1'000'000'000, .sha256 = std::string(64, 'b')};
  input.filters = {{"gzip", "gzip", ".gz"}, {"gpg", "gpg", ".gpg"}};
  StageReport stage;
  stage.name = "gzip";
  stage.bytes_in = 5'000'000'000;
  stage.bytes_out = 1'000'000'000;
  stage.notes = {{"level", "6"}};
  input.stages = {stage};
  input.exits = {{"etc", 1}};
  input.warnings = {{"etc", "1 file changed while it was read", {"tar: ./x: file changed"}}};
  return input;
}

TEST(Manifest, FollowsItsSchema) {
  ManifestInput full = example();
  full.source_argv = {"tar", "-cf", "-"};
  full.source_paths = {"/etc"};

  EXPECT_THAT(violations(manifest_json(full)), IsEmpty());
  EXPECT_THAT(violations(manifest_json(example())), IsEmpty());
  EXPECT_THAT(violations(manifest_json(ManifestInput{})), IsEmpty());
}

TEST(Manifest, HasEverythingThatTheSchemaKnows) {
  ManifestInput full = example();
  full.source_argv = {"tar"};
  full.source_paths = {"/etc"};
  const json manifest = json::parse(manifest_json(full));
  const json schema = json::parse(read_text(MANIFEST_SCHEMA));

  for (const auto& [name, unused] : schema.at("properties").items()) {
    EXPECT_TRUE(manifest.contains(name)) << name;
  }
  for (const auto& [name, unused] :
       schema.at("/properties/source/properties"_json_pointer).items()) {
    EXPECT_TRUE(manifest.at("source").contains(name)) << name;
  }
}

TEST(Manifest, SchemaRefusesWhatIsNoManifest) {
  json manifest = json::parse(manifest_json(example()));
  manifest.erase("object");
  manifest["passphrase"] = "x";
  manifest["raw"]["sha256"] = "ABC";
  manifest["began"] = 5;

  EXPECT_THAT(violations(manifest.dump()),
              testing::UnorderedElementsAre("/object: missing", "/passphrase: unknown",
                                            "/raw/sha256: does not match the pattern",
                                            "/began: wrong type"));
}

TEST(Manifest, SaysTheSameInTheSameBytes) {
  EXPECT_EQ(manifest_json(example()), manifest_json(example()));
  EXPECT_THAT(manifest_json(example()),
              testing::StartsWith("{\n  \"format_version\": 1,\n  \"tool\""));
}

TEST(Manifest, HasTheNumbersAndTheFiltersInTheirOrder) {
  const json manifest = json::parse(manifest_json(example()));

  EXPECT_EQ(manifest.at("raw").at("bytes"), 5'000'000'000);
  EXPECT_EQ(manifest.at("stored").at("sha256"), std::string(64, 'b'));
  EXPECT_EQ(manifest.at("ended"), "2026-11-23T02:10:00Z");
  ASSERT_THAT(manifest.at("filters"), SizeIs(2));
  EXPECT_EQ(manifest.at("filters")[0].at("extension"), ".gz");
  EXPECT_EQ(manifest.at("filters")[1].at("type"), "gpg");
  EXPECT_EQ(manifest.at("exits")[0].at("status"), 1);
}

TEST(Manifest, TellsArgumentsAndPathsOnlyWhenTheyAreGiven) {
  EXPECT_THAT(manifest_json(example()), testing::Not(HasSubstr("argv")));
  EXPECT_THAT(manifest_json(example()), testing::Not(HasSubstr("paths")));
}

TEST(Manifest, SurvivesFileNamesThatAreNotUtf8) {
  ManifestInput input = example();
  input.warnings[0].lines = {"tar: ./\xff\xfe: file changed"};

  EXPECT_THAT(violations(manifest_json(input)), IsEmpty());
}

TEST(Manifest, LiesBesideItsObject) {
  EXPECT_EQ(stages::manifest_name("h/etc.tar"), "h/etc.tar.manifest.json");
  EXPECT_TRUE(stages::is_manifest_name("h/etc.tar.manifest.json"));
  EXPECT_FALSE(stages::is_manifest_name("h/etc.tar"));
  EXPECT_FALSE(stages::is_manifest_name(".manifest.json"));
}

}  // namespace
}  // namespace bp::test
