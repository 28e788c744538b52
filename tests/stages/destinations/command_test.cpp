// The command destination: shell commands that store into a folder, and programs that misbehave.
#include "stages/destinations/command.hpp"

#include "stages/destinations/file.hpp"
#include "tests/conformance/sink_conformance.hpp"
#include "tests/support/job_error.hpp"
#include "tests/support/job_on_disk.hpp"
#include "tests/support/stage_driver.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>

namespace bp::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using stages::CommandSettings;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> sh(const std::string& script) {
  return {"sh", "-c", script};
}

std::vector<std::string> files_below(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator{root}) {
    if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(root).string());
  }
  std::ranges::sort(names);
  return names;
}

// ---- the conformance suite, for a command that does all that a command can do

/// Stores by the command; is looked at as the folder of files that it is.
class StoreInFolder final : public stages::Store {
 public:
  explicit StoreInFolder(const fs::path& root)
      : files_{stages::file_store({.name = "files", .root = root},
                                  stages::Temporary::unnamed_if_possible)} {
    CommandSettings settings;
    settings.name = "place";
    settings.working_directory = root;
    // A file that never had a name until the end of input: at whatever moment the command is
    // killed, nothing lies about.
    settings.argv = {"python3", "-c", R"(
import os, shutil, sys
target = sys.argv[1]
with os.fdopen(os.open('..', os.O_TMPFILE | os.O_RDWR, 0o600), 'w+b') as kept:
    shutil.copyfileobj(sys.stdin.buffer, kept)
    kept.seek(0)
    os.makedirs(os.path.dirname(target) or '.', exist_ok=True)
    with open(target + '.part', 'wb') as part:
        shutil.copyfileobj(kept, part)
os.rename(target + '.part', target)
)",
                     "{object}"};
    commands_ = stages::command_store(std::move(settings));
  }
  [[nodiscard]] bool remote() const override { return commands_->remote(); }
  [[nodiscard]] std::string location(const std::string& object) const override {
    return commands_->location(object);
  }
  [[nodiscard]] std::unique_ptr<Sink> sink(const stages::BuildContext& context) override {
    return commands_->sink(context);
  }
  [[nodiscard]] std::unique_ptr<Source> open(std::string object, stages::Range range) override {
    return files_->open(std::move(object), range);
  }
  [[nodiscard]] asio::awaitable<std::vector<stages::ObjectInfo>> list(std::string prefix) override {
    return files_->list(std::move(prefix));
  }
  [[nodiscard]] asio::awaitable<std::optional<stages::ObjectInfo>> head(
      std::string object) override {
    return files_->head(std::move(object));
  }
  [[nodiscard]] asio::awaitable<void> remove(std::string object) override {
    return files_->remove(std::move(object));
  }
  [[nodiscard]] asio::awaitable<void> sweep(const stages::JournalEntry& entry) override {
    return commands_->sweep(entry);
  }

 private:
  std::unique_ptr<stages::Store> files_, commands_;
};

struct CommandPlace {
  CommandPlace() {
    std::signal(SIGPIPE, SIG_IGN);
    fs::create_directory(folder / "store");
    store_ = std::make_unique<StoreInFolder>(folder / "store");
  }
  stages::Store& store() { return *store_; }
  stages::Journal* journal() { return nullptr; }
  [[nodiscard]] std::vector<std::string> objects() const { return files_below(folder / "store"); }
  [[nodiscard]] std::vector<std::string> traces() const {
    std::vector<std::string> names = files_below(folder.path());
    std::erase_if(names, [](const std::string& name) {
      return name.starts_with("store/") && !name.ends_with(".part");
    });
    return names;
  }

  static constexpr std::size_t unit_bytes = 1 << 20;  // what a pipe holds
  static constexpr bool refuses_existing = false;

  TemporaryFolder folder;

 private:
  std::unique_ptr<stages::Store> store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Command, SinkConformance, CommandPlace);

// ---- commands with faults

class CommandTest : public testing::Test {
 protected:
  CommandTest() { std::signal(SIGPIPE, SIG_IGN); }
  void TearDown() override {
    EXPECT_FALSE(::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) << "a child is left";
  }

  [[nodiscard]] CommandSettings settings(const std::string& script) const {
    CommandSettings made;
    made.name = "place";
    made.argv = sh(script);
    made.working_directory = folder.path();
    made.idle_limit = 20s;
    return made;
  }
  [[nodiscard]] static std::unique_ptr<Sink> sink(const CommandSettings& settings) {
    stages::BuildContext context;
    context.run_id = "20261123-020000-ab12";
    context.source_id = "etc";
    context.object_name = "etc.tar";
    return stages::command_sink(settings, context);
  }
  [[nodiscard]] std::vector<std::string> files() const { return files_below(folder.path()); }
  [[nodiscard]] std::string text(std::string_view name) const { return read_text(folder / name); }
  [[nodiscard]] pid_t pid_in(std::string_view name) const {
    return static_cast<pid_t>(std::stol(text(name)));
  }
  static void wait_for_end_of(pid_t pid) {
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  }

  TemporaryFolder folder;
};

const std::string store_by_part = "cat >{object}.part && mv {object}.part {object}";

template <class Work>
std::string failure_of(const Work& work, Errc code = Errc::destination) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(CommandTest, TellsTheCommandWhatItStores) {
  {
    SinkDriver driver{
        sink(settings("cat >/dev/null; echo '{object}' {run} {source} '{other}' "
                      "$BACKUP_PIPE_OBJECT $BACKUP_PIPE_RUN $BACKUP_PIPE_SOURCE >told"))};
    driver.prepare(bytes_of("data"));
    driver.commit();
  }
  EXPECT_EQ(text("told"),
            "etc.tar 20261123-020000-ab12 etc {other} etc.tar 20261123-020000-ab12 etc\n");
}

TEST_F(CommandTest, RunsOnAbortAfterTheCommandIsGone) {
  // Writes when it is told to end, so that a clean-up beside it would come too early.
  CommandSettings made =
      settings("trap 'sleep 0.1; echo late >{object}.part; exit 1' TERM; cat >{object}.part");
  made.on_abort = sh("rm {object}.part && echo $BACKUP_PIPE_OBJECT >>cleaned");
  {
    SinkDriver driver{sink(made)};
    driver.prepare(pattern(3'000'000));
    ASSERT_THAT(files(), ElementsAre("etc.tar.part"));
    driver.abort();
    EXPECT_THAT(files(), ElementsAre("cleaned"));
    driver.abort();
  }
  EXPECT_EQ(text("cleaned"), "etc.tar\n");  // once
}

TEST_F(CommandTest, DoesNotRunOnAbortForACommandThatNeverStarted) {
  CommandSettings made = settings(store_by_part);
  made.on_abort = sh("echo >cleaned");
  SinkDriver{sink(made)}.abort();
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(CommandTest, TellsWhenOnAbortFails) {
  CommandSettings made = settings(store_by_part);
  made.on_abort = sh("echo no such bucket >&2; exit 4");
  SinkDriver driver{sink(made)};
  driver.prepare(bytes_of("data"));
  EXPECT_THAT(failure_of([&] { driver.abort(); }),
              HasSubstr("on_abort: 'sh' failed with exit status 4: no such bucket"));
}

TEST_F(CommandTest, FailsWhenTheCommandEndsBeforeItHasEverything) {
  for (const std::size_t length : {std::size_t{2'000}, std::size_t{5'000'000}}) {
    SinkDriver driver{sink(settings("head -c 1000 >/dev/null; exit 0"))};
    EXPECT_THAT(failure_of([&] { driver.prepare(pattern(length)); }),
                HasSubstr("'sh' ended before it had all of the object: exit status 0"))
        << length;
    driver.abort();
  }
}

TEST_F(CommandTest, FailsWhenTheCommandEndsWellWithoutWaitingForTheEndOfInput) {
  SinkDriver driver{sink(settings("echo $$ >pid; head -c 2000 >/dev/null; exit 0"))};

  // It may be seen by either of the two.
  const std::string why = failure_of([&] {
    driver.prepare(pattern(2'000));
    wait_for_end_of(pid_in("pid"));
    driver.commit();
  });

  EXPECT_THAT(why, HasSubstr("'sh' ended before it had all of the object: exit status 0"));
  driver.abort();
}

TEST_F(CommandTest, FailsWhenTheCommandDiesBetweenPrepareAndCommit) {
  SinkDriver driver{sink(settings("echo $$ >pid; cat >/dev/null"))};
  driver.prepare(pattern(200'000));
  ::kill(pid_in("pid"), SIGKILL);
  wait_for_end_of(pid_in("pid"));

  EXPECT_THAT(failure_of([&] { driver.commit(); }),
              HasSubstr("ended before it had all of the object: killed by signal 9"));
}

TEST_F(CommandTest, FailsByTheExitStatusAndTellsItsLastWords) {
  CommandSettings made = settings("cat >{object}.part; echo quota exceeded >&2; exit 3");
  made.on_abort = sh("rm -f {object}.part");
  SinkDriver driver{sink(made)};
  driver.prepare(pattern(200'000));

  EXPECT_THAT(failure_of([&] { driver.commit(); }),
              HasSubstr("'sh' failed with exit status 3: quota exceeded"));
  EXPECT_THAT(files(), IsEmpty());  // the runner does not abort after a failed commit
}

TEST_F(CommandTest, TakesOtherExitStatusesWhenTold) {
  CommandSettings made = settings("cat >/dev/null; exit 3");
  made.ok_exit = {0, 3};
  SinkDriver driver{sink(made)};
  driver.prepare(bytes_of("data"));
  EXPECT_EQ(driver.commit().bytes, 4U);
  EXPECT_EQ(driver.context.notes.at("exit"), "3");
}

TEST_F(CommandTest, FailsWhenTheCommandReadsNothing) {
  for (const std::size_t length : {std::size_t{100}, std::size_t{5'000'000}}) {
    CommandSettings made = settings("exec sleep 1000");
    made.idle_limit = 300ms;
    SinkDriver driver{sink(made)};
    EXPECT_THAT(failure_of([&] { driver.prepare(pattern(length)); }, Errc::timeout),
                HasSubstr("'sh'"));
    driver.abort();
  }
}

TEST_F(CommandTest, FailsWhenTheCommandDoesNotEndAfterTheEndOfItsInput) {
  CommandSettings made = settings("cat >/dev/null; exec sleep 1000");
  made.idle_limit = 300ms;
  SinkDriver driver{sink(made)};
  driver.prepare(pattern(200'000));
  EXPECT_THAT(failure_of([&] { driver.commit(); }, Errc::timeout), HasSubstr("'sh'"));
}

TEST_F(CommandTest, EndsACommandThatIgnoresTerm) {
  CommandSettings made = settings("trap '' TERM; cat >{object}.part; sleep 1000");
  made.on_abort = sh("rm {object}.part");
  SinkDriver driver{sink(made)};
  driver.prepare(pattern(200'000));
  driver.abort();
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(CommandTest, ACommandThatIgnoresTermDoesNotMistakeItsAbortForTheEndOfTheObject) {
  const CommandSettings stubborn = settings("trap '' TERM; " + store_by_part);
  SinkDriver driver{sink(stubborn)};
  EXPECT_THROW(driver.prepare_voided(pattern(3'000'000)), Error);  // more than lies in a pipe

  driver.abort();

  EXPECT_THAT(files(), ElementsAre("etc.tar.part"));
}

TEST_F(CommandTest, IsNotHeldUpByWhatTheCommandPrints) {
  SinkDriver driver{sink(settings("tee {object} >&2; yes | head -c 3000000"))};
  driver.prepare(pattern(3'000'000));
  EXPECT_EQ(driver.commit().bytes, 3'000'000U);
}

TEST_F(CommandTest, RefusesAProgramThatDoesNotExistBeforeAnythingStarts) {
  CommandSettings made = settings("cat");
  made.on_abort = {"no-such-program"};
  SinkDriver driver{sink(made)};
  EXPECT_THAT(failure_of([&] { driver.preflight(); }),
              HasSubstr("there is no program 'no-such-program'"));
}

TEST_F(CommandTest, SaysThatItCanOnlyStore) {
  const std::unique_ptr<stages::Store> store = stages::command_store(settings("cat"));
  EXPECT_THAT(failure_of([&] { run(store->head("x")); }), HasSubstr("which cannot look for 'x'"));
  EXPECT_THAT(failure_of([&] { run(store->list("")); }), HasSubstr("which cannot list"));
  EXPECT_THAT(failure_of([&] { run(store->remove("x")); }), HasSubstr("which cannot remove"));
  EXPECT_THAT(failure_of([&] { auto source = store->open("x", {}); }),
              HasSubstr("which cannot read"));
}

// ---- in jobs

std::string job_with(const fs::path& store, const std::string& options) {
  return "[job]\nobject = \"{id}.{ext}\"\n[source.data]\ntype = \"folder\"\npath = \"one\"\n"
         "[destination.place]\ntype = \"command\"\nworking_directory = \"" +
         store.string() + "\"\nargv = [\"sh\", \"-c\", \"cat >{object}\"]\n" + options;
}

TEST_F(CommandTest, StoresAJobWithItsManifestOrWithout) {
  for (const bool manifest : {true, false}) {
    JobOnDisk job;
    job.write(job_with(job.folder() / "two",
                       manifest ? "local = true\n" : "local = true\nmanifest = false\n"));

    const RunReport report = job.run();

    ASSERT_EQ(report.sources.size(), 1U);
    EXPECT_EQ(report.sources[0].outcome, Outcome::stored);
    const std::vector<std::string> both{"data.tar", "data.tar.manifest.json"};
    EXPECT_EQ(files_below(job.folder() / "two"),
              manifest ? both : std::vector<std::string>{"data.tar"});
  }
}

TEST_F(CommandTest, IsRemoteUnlessSaidToBeLocal) {
  EXPECT_THAT(job_error(job_with("/srv", "")), HasSubstr("would leave this machine unencrypted"));
  EXPECT_EQ(job_error(job_with("/srv", "local = true\n")), "ok");
  EXPECT_EQ(job_error(job_with("/srv", "plaintext_ok = true\n")), "ok");
}

}  // namespace
}  // namespace bp::test
