#include "stages/filters/rate_limit.hpp"

#include "config/document.hpp"
#include "stages/assemble.hpp"
#include "stages/registry.hpp"
#include "tests/support/filter_run.hpp"
#include "tests/support/job_on_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using test::run_filter;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

constexpr std::size_t chunk = 4096;

SharedBucket bucket(std::size_t rate, std::size_t burst) {
  return std::make_shared<TokenBucket>(rate, burst);
}

double seconds_of(const SourceReport& report) {
  return std::chrono::duration<double>(report.ended - report.began).count();
}

TEST(RateLimit, HandsEveryByteOn) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, chunk, 100 * chunk + 7}) {
    const test::Bytes input = test::pattern(length);
    const auto run = run_filter(rate_limit_filter({bucket(1 << 30, 0)}), input, chunk);
    EXPECT_EQ(run.output, input) << length;
    EXPECT_THAT(run.report.warnings, IsEmpty());  // the runner warns of a plan that was exceeded
  }
}

TEST(RateLimit, WaitsForTheSlowestOfItsBuckets) {
  const auto run = run_filter(rate_limit_filter({bucket(1 << 30, 0), bucket(100 * chunk, 0)}),
                              test::pattern(20 * chunk), chunk);

  EXPECT_GE(seconds_of(run.report), 0.19);
}

TEST(RateLimit, DoesNotOutliveItsConsumer) {
  const auto [report, plan] = test::run_filter_between(
      std::make_unique<test::EndlessSource>(test::pattern(chunk)),
      rate_limit_filter({bucket(chunk, 3 * chunk)}), std::make_unique<test::FullSink>(1), chunk);

  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_THAT(report.cause->what(), EndsWith("no room left"));
  EXPECT_LT(seconds_of(report), 30);
}

std::pair<FilterType, config::Diagnostics> type_from(std::string_view toml) {
  Registry registry;
  register_all(registry);
  config::Diagnostics diagnostics;
  const config::Table table = config::parse_toml(toml, "job.toml");
  config::OptionReader options{table, "filter.rate_limit", diagnostics, true};
  FilterType type = (*registry.filter("rate_limit"))(options);
  options.finish();
  return {std::move(type), diagnostics};
}

TEST(RateLimit, IsATypeOfJobFilesThatNeedsARate) {
  EXPECT_TRUE(type_from("rate = \"10MiB\"").second.empty());
  EXPECT_TRUE(type_from("rate = \"10MiB\"\nburst = 0").second.empty());
  EXPECT_FALSE(type_from("").second.empty());
  EXPECT_FALSE(type_from("rate = 0").second.empty());
  const FilterType type = type_from("rate = \"10MiB\"").first;
  EXPECT_EQ(type.extension, "");
  EXPECT_EQ(run_filter(type.make_inverse({}), test::bytes_of("abc")).output, test::bytes_of("abc"));
}

TEST(RateLimit, HasASecondOfBurstInJobFilesUnlessTold) {
  const test::Bytes input = test::pattern(20 * chunk);
  const auto seconds = [&](std::string_view toml) {
    return seconds_of(run_filter(type_from(toml).first.make({}), input, chunk).report);
  };
  EXPECT_GE(seconds("rate = 409600\nburst = 0"), 0.19);
  EXPECT_LT(seconds("rate = 81920"), 0.9);  // 1 s without a burst
}

/// A job with a source and two destinations, with these lines in [job] and in the second
/// destination.
class Bandwidth : public ::testing::Test {
 protected:
  void write(std::string_view in_job, std::string_view in_two) {
    job.write("[job]\nhostname = \"h\"\nobject = \"{id}.{ext}\"\n" + std::string{in_job} +
              "\n[source.words]\ntype = \"command\"\nargv = [\"head\", \"-c\", \"50000\", "
              "\"/dev/zero\"]\nextension = \"bin\"\n[destination.one]\ntype = \"file\"\n"
              "path = \"one\"\n[destination.two]\ntype = \"file\"\npath = \"two\"\n" +
              std::string{in_two} + "\n");
  }
  /// Names of the rate limits in the graph.
  [[nodiscard]] std::vector<std::string> limits() const {
    const LoadedJob loaded = job.load();
    const RunIdentity identity = new_identity(loaded.spec().job, std::chrono::system_clock::now());
    const config::SourceSection& source = loaded.spec().sources[0];
    AssembleOptions how;
    how.bandwidth = job_bandwidth(loaded.spec().job);
    const SourceGraph built =
        assemble(loaded, source, identity, object_names(loaded, source, identity), how);
    std::vector<std::string> names;
    for (const Graph::Node& node : built.graph.nodes()) {
      if (node.name.starts_with("bandwidth")) names.push_back(node.name);
    }
    return names;
  }

  test::JobOnDisk job;
};

TEST_F(Bandwidth, OfNobodyAddsNoStage) {
  write("", "");
  EXPECT_THAT(limits(), IsEmpty());
}

TEST_F(Bandwidth, OfADestinationLimitsOnlyThat) {
  write("", "bandwidth = \"1MiB\"");
  EXPECT_THAT(limits(), ElementsAre("bandwidth of two"));
}

TEST_F(Bandwidth, OfAJobLimitsEachOfItsDestinations) {
  write("bandwidth = \"1MiB\"", "");
  EXPECT_THAT(limits(), ElementsAre("bandwidth of one", "bandwidth of two"));
}

TEST_F(Bandwidth, OfAJobIsForAllDestinationsTogether) {
  write("bandwidth = 80000", "");  // two copies of 50,000 bytes, the first 80,000 in the burst
  const RunReport report = job.run();

  ASSERT_EQ(report.sources[0].outcome, Outcome::stored);
  EXPECT_GE(seconds_of(report.sources[0]), 0.24);
  EXPECT_EQ(job.read("two", "words.bin"), std::string(50'000, '\0'));
}

TEST_F(Bandwidth, OfNothingIsRefused) {
  write("bandwidth = 0", "bandwidth = \"0\"");
  try {
    (void)job.load();
    FAIL() << "the job was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("'bandwidth' is 0"));
  }
}

}  // namespace
}  // namespace bp::stages
