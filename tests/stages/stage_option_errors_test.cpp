// tests/stages/stage_option_errors_test.cpp — mistakes in the options of sources and filters.
// One row per mistake: the file, and exactly what a person is told.
#include "tests/support/job_error.hpp"

#include <gtest/gtest.h>

namespace bp::stages {
namespace {

const std::vector<test::BadJob> bad_jobs{
    {"MissingPath",
     R"([source.etc]
type = "folder"
[destination.local]
type = "file"
path = "/srv"
)",
     R"(job.toml:1:9: [source.etc] needs 'path')"},
    {"EmptyPath",
     R"([source.etc]
type = "folder"
path = ""
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:1: 'path' is empty)"},
    {"PathIsNoString",
     R"([source.etc]
type = "folder"
path = ["/etc"]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:8: 'path' must be a string, not an array)"},
    {"PathAndPaths",
     R"([source.etc]
type = "folder"
path = "/etc"
paths = ["/srv"]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:1: 'path' and 'paths' exclude each other)"},
    {"PathsInsideEachOther",
     R"([source.etc]
type = "folder"
paths = ["/etc", "/etc/apt"]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:1: '/etc/apt' is inside '/etc' (It would be stored twice.))"},
    {"PathWithDots",
     R"([source.etc]
type = "folder"
path = "/etc/../root"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:1: '/etc/../root' contains '..')"},
    {"ExcludeIsANumber",
     R"([source.etc]
type = "folder"
path = "/etc"
exclude = 7
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:11: 'exclude' must be an array of strings, not an integer)"},
    {"ExcludeHoldsANumber",
     R"([source.etc]
type = "folder"
path = "/etc"
exclude = ["logs", 7]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:20: 'exclude' must hold strings, not an integer)"},
    {"ExcludeOfTheFolderItself",
     R"([source.etc]
type = "folder"
path = "/etc"
exclude = ["etc"]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:1: 'etc' excludes the folder itself (Patterns match names at every depth; begin it with a folder inside.))"},
    {"MisspeltSourceKey",
     R"([source.etc]
type = "folder"
path = "/etc"
exlude = ["logs"]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:1: unknown key 'exlude' in [source.etc] (did you mean 'exclude'?))"},
    {"FlagIsAString",
     R"([source.etc]
type = "folder"
path = "/etc"
sudo = "yes"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:8: 'sudo' must be true or false, not a string)"},
    {"ExitStatusOutOfRange",
     R"([source.etc]
type = "folder"
path = "/etc"
ok_exit = [0, 300]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:15: 'ok_exit' must hold integers between 0 and 255)"},
    {"ExitStatusesAreNoArray",
     R"([source.etc]
type = "folder"
path = "/etc"
ok_exit = 0
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:11: 'ok_exit' must be an array of integers, not an integer)"},
    {"BadDuration",
     R"([source.etc]
type = "folder"
path = "/etc"
idle_timeout = "soon"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:16: 'idle_timeout' must be a duration (like "90s", "5m", "2h30m" or a number of seconds))"},
    {"NiceOutOfRange",
     R"([source.etc]
type = "folder"
path = "/etc"
nice = 40
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:8: 'nice' must be between -20 and 19, not 40)"},
    {"BadIonice",
     R"([source.etc]
type = "folder"
path = "/etc"
ionice = "lazy"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:1: 'lazy' is no I/O priority (Use "idle", "best-effort" or "best-effort:0" to "best-effort:7".))"},
    {"ArgvIsAString",
     R"([source.etc]
type = "command"
argv = "uname -a"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:8: 'argv' must be an array: the program and its arguments (no shell is ever used: write ["program", "argument"]))"},
    {"ArgvIsEmpty",
     R"([source.etc]
type = "command"
argv = []
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:1: 'argv' names no program)"},
    {"ArgvHoldsATable",
     R"([source.etc]
type = "command"
argv = ["uname", {}]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:18: 'argv' must hold strings, not a table)"},
    {"ArgvIsMissing",
     R"([source.etc]
type = "command"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:1:9: [source.etc] needs 'argv')"},
    {"BadExtension",
     R"([source.etc]
type = "command"
argv = ["uname"]
extension = "a/b"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:1: '.a/b' is no file name extension (Use letters, digits and dots, like "sql" or ".tar.xz".))"},
    {"BadEnvironmentName",
     R"([source.etc]
type = "command"
argv = ["uname"]
env = { "A B" = "c" }
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:9: 'A B' in 'env' is no environment variable (like LC_ALL = "C"))"},
    {"EnvironmentIsNoTable",
     R"([source.etc]
type = "command"
argv = ["uname"]
env = "A=b"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:7: 'env' must be a table of strings, not a string)"},
    {"LevelOutOfRange",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gzip]
level = 13
)",
     R"(job.toml:8:9: 'level' must be between 1 and 12, not 13)"},
    {"LevelIsANumberInQuotes",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gzip]
level = "6"
)",
     R"(job.toml:8:9: 'level' must be between 1 and 12, or "fast")"},
    {"MisspeltFilterKey",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gzip]
levle = 6
)",
     R"(job.toml:8:1: unknown key 'levle' in [filter.gzip] (did you mean 'level'?))"},
};

class StageOptionErrors : public ::testing::TestWithParam<test::BadJob> {};

TEST_P(StageOptionErrors, AreToldWithPlaceAndRemedy) {
  EXPECT_EQ(test::job_error(GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Mistakes, StageOptionErrors, ::testing::ValuesIn(bad_jobs), test::name_of);

}  // namespace
}  // namespace bp::stages
