#include "bench/pipeline.hpp"

#include "bench/pass_filter.hpp"
#include "bench/present.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::bench {
namespace {

using testing::HasSubstr;

stages::Registry all_types() {
  stages::Registry registry;
  stages::register_all(registry);
  register_pass_filters(registry);
  return registry;
}

constexpr std::uint64_t odd_size = (std::uint64_t{3} << 20U) + 17;

TEST(Pipeline, CountsEveryByteThroughCoroutinesAndThreads) {
  for (const std::string source : {"synthetic:2", "synthetic:repeat"}) {
    const Measurement measured = run_pipeline(
        {.source = source, .bytes = odd_size, .stages = "pass,pass-thread,pass", .digests = true},
        all_types());

    EXPECT_EQ(measured.bytes_in(), odd_size) << source;
    EXPECT_EQ(measured.bytes_out(), odd_size) << source;
    EXPECT_LE(measured.report.peak_chunks * measured.chunk_bytes, measured.plan_bytes) << source;
  }
}

TEST(Pipeline, WritesAFileAndReplacesIt) {
  const test::TemporaryFolder folder;
  test::write_text(folder / "in", "something to copy");
  test::write_text(folder / "out", "what was there before");

  (void)run_pipeline(
      {.source = (folder / "in").string(), .sink = "file:" + (folder / "out").string()},
      all_types());

  EXPECT_EQ(test::read_text(folder / "out"), "something to copy");
}

TEST(Pipeline, ThrowsTheCauseOfAFailedRun) {
  EXPECT_THROW((void)run_pipeline({.source = "/nonexistent/file"}, all_types()), Error);
}

TEST(Pipeline, RefusesAnUnknownSink) {
  EXPECT_THROW((void)run_pipeline({.bytes = 1, .sink = "tape"}, all_types()), Error);
}

TEST(Measurement, IsReadBackAsItWasWritten) {
  const Measurement measured = run_pipeline({.bytes = odd_size, .stages = "gzip:1"}, all_types());

  const ReadMeasurement read = read_measurement(measurement_json(measured));

  EXPECT_EQ(read.bytes_in, odd_size);
  EXPECT_EQ(read.bytes_out, measured.bytes_out());
  EXPECT_EQ(read.limited_by, measured.limiting_stage().name);
}

TEST(Measurement, NamesEveryStageInTableAndChart) {
  const Measurement measured =
      run_pipeline({.bytes = odd_size, .stages = "pass-thread"}, all_types());

  for (const std::string& text : {measurement_text(measured), measurement_svg(measured, "a < b")}) {
    EXPECT_THAT(text, HasSubstr("source"));
    EXPECT_THAT(text, HasSubstr("pass-thread"));
    EXPECT_THAT(text, HasSubstr("sink"));
  }
  EXPECT_THAT(measurement_svg(measured, "a < b"), HasSubstr("a &lt; b"));
}

TEST(Median, IsTheMiddleOrTheMeanOfTheMiddleTwo) {
  EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median({4, 1, 3, 2}), 2.5);
}

}  // namespace
}  // namespace bp::bench
