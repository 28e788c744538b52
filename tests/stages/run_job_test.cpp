#include "stages/run_job.hpp"

#include "tests/support/command.hpp"
#include "tests/support/job_on_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bp::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

constexpr std::string_view one_source = R"(
[job]
hostname = "h"
object = "{id}.{ext}"
[source.words]
type = "command"
argv = ["printf", "hello %s", "world"]
extension = "txt"
)";

std::string with(std::string_view more) {
  return std::string{one_source} + std::string{more};
}

constexpr std::string_view to_one = R"(
[destination.one]
type = "file"
path = "one"
)";
constexpr std::string_view to_two = R"(
[destination.two]
type = "file"
path = "two"
)";

class RunJobTest : public ::testing::Test {
 protected:
  std::string gunzipped(std::string_view place, const std::string& object) const {
    const auto result = test::pipe_through("gunzip", test::bytes_of(job.read(place, object)));
    return {reinterpret_cast<const char*>(result.output.data()), result.output.size()};
  }
  nlohmann::json manifest(std::string_view place, const std::string& object) const {
    return nlohmann::json::parse(job.read(place, object + ".manifest.json"));
  }
  static std::string cause(const SourceReport& source) {
    return source.cause ? source.cause->what() : "none";
  }

  test::JobOnDisk job;
};

TEST_F(RunJobTest, StoresTheSourceWithAManifestBesideIt) {
  job.write(with(to_one));
  const RunReport report = job.run();

  ASSERT_EQ(report.sources[0].outcome, Outcome::stored) << cause(report.sources[0]);
  EXPECT_EQ(job.read("one", "words.txt"), "hello world");
  const nlohmann::json told = manifest("one", "words.txt");
  EXPECT_EQ(told["run_id"], report.run_id);
  EXPECT_EQ(told["raw"]["bytes"], 11);
  // printf 'hello world' | sha256sum
  const char* digest = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
  EXPECT_EQ(told["raw"]["sha256"], digest);
  EXPECT_EQ(told["stored"]["sha256"], digest);
  EXPECT_FALSE(told["source"].contains("argv"));
}

TEST_F(RunJobTest, TellsTheArgumentsInTheManifestOnlyWhenAsked) {
  job.write(with(to_one).insert(7, "manifest_detail = \"full\"\n"));
  (void)job.run();
  EXPECT_EQ(manifest("one", "words.txt")["source"]["argv"][0], "printf");
}

TEST_F(RunJobTest, ServesDestinationsWithDifferentPipelinesFromOneDump) {
  job.write(with(to_one) + std::string{to_two} + "pipeline = [\"gzip\"]\n");
  const RunReport report = job.run();

  ASSERT_EQ(report.sources[0].outcome, Outcome::stored) << cause(report.sources[0]);
  EXPECT_EQ(job.read("one", "words.txt"), "hello world");
  EXPECT_EQ(gunzipped("two", "words.txt.gz"), "hello world");
  const nlohmann::json packed = manifest("two", "words.txt.gz");
  EXPECT_EQ(packed["filters"][0]["type"], "gzip");
  EXPECT_EQ(packed["stored"]["bytes"], job.read("two", "words.txt.gz").size());
  EXPECT_NE(packed["stored"]["sha256"], packed["raw"]["sha256"]);
}

TEST_F(RunJobTest, FollowsEdgesThatAreStatedByHand) {
  job.write(with(to_one) + "from = \"pack\"\n" + std::string{to_two} + "from = \"words\"\n" +
            "[filter.pack]\ntype = \"gzip\"\nfrom = \"words\"\n");
  const RunReport report = job.run();
  ASSERT_EQ(report.sources[0].outcome, Outcome::stored) << cause(report.sources[0]);
  EXPECT_EQ(gunzipped("one", "words.txt.gz"), "hello world");
  EXPECT_EQ(job.read("two", "words.txt"), "hello world");
}

TEST_F(RunJobTest, PutsATimeIntoTheNamesEverywhereWhenOneExists) {
  job.write(with(to_one) + std::string{to_two});
  test::write_text((job.folder() / "two") / "words.txt", "older");
  const RunReport report = job.run();

  ASSERT_EQ(report.sources[0].outcome, Outcome::stored) << cause(report.sources[0]);
  EXPECT_EQ(job.read("two", "words.txt"), "older");
  EXPECT_THAT(job.objects("one"), ElementsAre(MatchesRegex("words-[0-9]{6}\\.txt")));
  EXPECT_THAT(job.objects("two"), ElementsAre(job.objects("one")[0], "words.txt"));
}

TEST_F(RunJobTest, ReplacesAnObjectOnlyWhenTheJobSaysSo) {
  job.write(with(to_one).insert(7, "on_exists = \"replace\"\n"));
  test::write_text((job.folder() / "one") / "words.txt", "older");
  EXPECT_EQ(job.run().sources[0].outcome, Outcome::stored);
  EXPECT_EQ(job.read("one", "words.txt"), "hello world");
}

TEST_F(RunJobTest, RefusesAnExistingNameBeforeAnythingStarts) {
  job.write(with(to_one).insert(7, "on_exists = \"fail\"\n"));
  test::write_text((job.folder() / "one") / "words.txt", "older");
  const RunReport report = job.run();
  EXPECT_FALSE(report.sources[0].started);
  EXPECT_THAT(cause(report.sources[0]), HasSubstr("words.txt' exists already"));
  EXPECT_EQ(exit_status(report, 0, false), 2);
  EXPECT_EQ(job.read("one", "words.txt"), "older");
}

TEST_F(RunJobTest, StoresNothingOfASourceThatFailedAfterAllItsOutput) {
  job.write(R"(
[job]
object = "{id}.{ext}"
[source.broken]
type = "command"
argv = ["sh", "-c", "printf data; echo no luck >&2; exit 3"]
[source.good]
type = "command"
argv = ["printf", "fine"]
)" + std::string{to_one});
  const RunReport report = job.run();

  EXPECT_EQ(report.sources[0].outcome, Outcome::failed);
  EXPECT_THAT(cause(report.sources[0]), HasSubstr("exit status 3: no luck"));
  EXPECT_EQ(report.sources[1].outcome, Outcome::stored);
  EXPECT_THAT(job.objects("one"), ElementsAre("good"));
  EXPECT_EQ(exit_status(report, 0, false), 1);
}

TEST_F(RunJobTest, LosesOnlyTheCopyOfADestinationThatIsNotThere) {
  std::filesystem::remove(job.folder() / "two");
  job.write(with(to_one) + std::string{to_two});
  const RunReport required = job.run();
  EXPECT_EQ(required.sources[0].outcome, Outcome::partly_stored);
  EXPECT_THAT(cause(required.sources[0]), HasSubstr("two: "));
  EXPECT_THAT(job.objects("one"), SizeIs(1));
  EXPECT_EQ(exit_status(required, 0, false), 1);

  job.write(with(to_one) + std::string{to_two} + "required = false\n");
  const RunReport optional = job.run();
  EXPECT_EQ(optional.sources[0].outcome, Outcome::stored_with_warnings);
  EXPECT_EQ(exit_status(optional, 0, false), 3);
  EXPECT_EQ(exit_status(optional, 0, true), 0);
}

TEST_F(RunJobTest, StartsNothingWhenAllOrNothingCannotHaveAll) {
  std::filesystem::remove(job.folder() / "two");
  job.write(with(to_one).insert(7, "all_or_nothing = true\n") + std::string{to_two});
  const RunReport report = job.run();
  EXPECT_FALSE(report.sources[0].started);
  EXPECT_THAT(job.objects("one"), IsEmpty());
  EXPECT_EQ(exit_status(report, 0, false), 2);
}

TEST_F(RunJobTest, RunsTheChosenSourcesOnlyAndSeveralAtOnceWhenAllowed) {
  std::string text = "[job]\nmax_parallel = 3\nobject = \"{id}.{ext}\"\n" + std::string{to_one};
  for (const char* id : {"a", "b", "c", "d"}) {
    text += std::string{"[source."} + id + "]\ntype = \"command\"\nargv = [\"printf\", \"" + id +
            "\"]\n";
  }
  job.write(text);
  EXPECT_THAT(job.run({"b", "d"}).sources, SizeIs(2));
  EXPECT_THAT(job.objects("one"), ElementsAre("b", "d"));
  for (const SourceReport& source : job.run({"a", "c"}).sources) {
    EXPECT_EQ(source.outcome, Outcome::stored) << cause(source);
  }
  EXPECT_THAT(job.objects("one"), ElementsAre("a", "b", "c", "d"));
}

TEST_F(RunJobTest, RemembersSizesForTheNextRun) {
  job.write(with(to_one));
  (void)job.run();
  const History history{job.folder() / "history"};
  EXPECT_EQ(history.last_good("words"), 11U);
}

TEST_F(RunJobTest, SweepsWhatAnEarlierRunLeftAndKeepsWhatItCannotJudge) {
  job.write(with(to_one));
  const std::filesystem::path part = (job.folder() / "one") / ".words.txt.dead-run.part";
  {
    Journal earlier{job.folder() / "journal", "dead-run"};
    (void)earlier.begin("part-file", "one", part.string());
    (void)earlier.begin("part-file", "gone", "/srv/elsewhere/.x.dead-run.part");
  }
  test::write_text(part, "half a dump");
  const LoadedJob loaded = job.load();
  Journal journal{job.folder() / "journal", "new-run"};

  const std::vector<std::string> problems = test::run(sweep_leftovers(loaded, journal, "new-run"));

  EXPECT_FALSE(std::filesystem::exists(part));
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_THAT(problems[0], HasSubstr("the job has no destination 'gone' any more"));
  EXPECT_THAT(journal.open_entries(), SizeIs(1));
}

TEST_F(RunJobTest, NamesTheSourceThatWasMeant) {
  job.write(with(to_one));
  const LoadedJob loaded = job.load();
  try {
    (void)select_sources(loaded, {"wrods"});
    FAIL() << "an unknown source was accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the job has no source 'wrods'");
    EXPECT_EQ(error.hint(), "Did you mean 'words'?");
  }
}

}  // namespace
}  // namespace bp::stages
