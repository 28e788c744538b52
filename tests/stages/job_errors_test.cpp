// tests/stages/job_errors_test.cpp — mistakes in the structure of a job file.
// One row per mistake: the file, and exactly what a person is told.
#include "tests/support/job_error.hpp"

#include <gtest/gtest.h>

namespace bp::stages {
namespace {

const std::vector<test::BadJob> bad_jobs{
    {"EmptyFile", R"()",
     R"(job.toml:1:1: no source: nothing would be backed up (add a [source.NAME])
job.toml:1:1: no destination: nothing would be stored (add a [destination.NAME]))"},
    {"NoSource",
     R"([destination.local]
type = "file"
path = "/srv"
)",
     R"(job.toml:1:1: no source: nothing would be backed up (add a [source.NAME]))"},
    {"NoDestination",
     R"([source.etc]
type = "folder"
path = "/etc"
)",
     R"(job.toml:1:1: no destination: nothing would be stored (add a [destination.NAME]))"},
    {"MisspeltTable",
     R"([sorce.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:1:1: no source: nothing would be backed up (add a [source.NAME])
job.toml:1:2: unknown table or key 'sorce' (did you mean 'source'?))"},
    {"UnknownTable",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[schedule]
at = "02:00"
)",
     R"(job.toml:7:2: unknown table or key 'schedule' (known: job, source, filter, destination, notify))"},
    {"UnknownJobKey",
     R"([job]
nmae = "x"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: unknown key 'nmae' in [job] (did you mean 'name'?))"},
    {"JobIsNoTable",
     R"(job = 3
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:1:1: [job] must be a table, not an integer)"},
    {"SourceIsNoTable",
     R"(source = "etc"
[destination.local]
type = "file"
path = "/srv"
)",
     R"(job.toml:1:1: [source.NAME] must be a table, not a string
job.toml:1:1: no source: nothing would be backed up (add a [source.NAME]))"},
    {"SourceWithoutName",
     R"([source]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv"
)",
     R"(job.toml:1:1: no source: nothing would be backed up (add a [source.NAME])
job.toml:2:1: [source.type] must be a table, not a string (write [source.NAME], then its keys)
job.toml:3:1: [source.path] must be a table, not a string (write [source.NAME], then its keys))"},
    {"OddSourceName",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[source."a/b"]
type = "folder"
path = "/etc"
)",
     R"(job.toml:7:9: 'a/b' is no name for a source (letters, digits, '.', '_' and '-', not beginning with '-'))"},
    {"NameLikeAnOption",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[source.-x]
type = "folder"
path = "/etc"
)",
     R"(job.toml:7:9: '-x' is no name for a source (letters, digits, '.', '_' and '-', not beginning with '-'))"},
    {"NoType",
     R"([source.etc]
path = "/etc"
[destination.local]
type = "file"
path = "/srv"
)",
     R"(job.toml:1:9: [source.etc] needs 'type')"},
    {"UnknownSourceType",
     R"([source.etc]
type = "foldr"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: unknown source type 'foldr' (did you mean 'folder'?))"},
    {"UnknownDestinationType",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "fiel"
path = "/srv/backups"
)",
     R"(job.toml:5:1: unknown destination type 'fiel' (did you mean 'file'?))"},
    {"UnknownFilterType",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.pack]
type = "gzpi"
)",
     R"(job.toml:8:1: unknown filter type 'gzpi' (did you mean 'gzip'?))"},
    {"UnknownFilterInPipeline",
     R"([job]
pipeline = ["gzip", "gpgg"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: no filter 'gpgg' (did you mean 'gpg'?))"},
    {"UnknownNotifier",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[notify.ops]
type = "pigeon"
)",
     R"(job.toml:7:9: unknown notifier type 'pigeon' (this version has no notifiers))"},
    {"TypeIsNoString",
     R"([source.etc]
type = 3
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:8: 'type' must be a string, not an integer)"},
    {"SameFilterTwice",
     R"([job]
pipeline = ["gzip", "gzip"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: 'gzip' is twice in 'pipeline')"},
    {"CompressAfterEncrypt",
     R"([job]
pipeline = ["gpg", "gzip"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gpg]
passphrase = "correct horse battery"
)",
     R"(job.toml:3:9: source 'etc' to destination 'local': 'gzip' compresses what 'gpg' has encrypted (Encrypted data does not compress: put the compressor first.))"},
    {"NoPassphrase",
     R"([job]
pipeline = ["gpg"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:9: source 'etc' to destination 'local': 'gpg' has no passphrase (Give [filter.gpg] or [source.etc] a passphrase.))"},
    {"EmptyPassphrase",
     R"([job]
pipeline = ["gpg"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gpg]
passphrase = ""
)",
     R"(job.toml:10:1: 'passphrase' is empty)"},
    {"SecretOfUnknownKind",
     R"([job]
pipeline = ["gpg"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gpg]
passphrase = { vault = "x" }
)",
     R"(job.toml:10:14: 'passphrase' must be a secret ({ file = "/path" }, { env = "NAME" }, { command = ["pass", "show", "x"] }, { credential = "x" } or a string))"},
    {"SecretOfTwoKinds",
     R"([job]
pipeline = ["gpg"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gpg]
passphrase = { env = "X", file = "/y" }
)",
     R"(job.toml:10:14: 'passphrase' must be a secret ({ file = "/path" }, { env = "NAME" }, { command = ["pass", "show", "x"] }, { credential = "x" } or a string))"},
    {"SecretCommandIsAString",
     R"([job]
pipeline = ["gpg"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gpg]
passphrase = { command = "pass show x" }
)",
     R"(job.toml:10:14: 'passphrase' must be a secret ({ file = "/path" }, { env = "NAME" }, { command = ["pass", "show", "x"] }, { credential = "x" } or a string))"},
    {"CredentialWithASlash",
     R"([job]
pipeline = ["gpg"]
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[filter.gpg]
passphrase = { credential = "../x" }
)",
     R"(job.toml:10:14: 'passphrase' must be a secret ({ file = "/path" }, { env = "NAME" }, { command = ["pass", "show", "x"] }, { credential = "x" } or a string))"},
    {"UnknownDestinationOfSource",
     R"([source.etc]
type = "folder"
path = "/etc"
destinations = ["locl"]
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:1: no destination 'locl' (did you mean 'local'?))"},
    {"EmptyDestinationsOfSource",
     R"([source.etc]
type = "folder"
path = "/etc"
destinations = []
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:4:1: 'destinations' is empty)"},
    {"FromNowhere",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
from = "ect"
)",
     R"(job.toml:7:1: no source or filter 'ect' (did you mean 'etc'?))"},
    {"FromAndPipeline",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
from = "etc"
pipeline = []
)",
     R"(job.toml:7:1: 'from' and 'pipeline' exclude each other)"},
    {"FromAFilterThatNothingReaches",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
from = "gzip"
[filter.gzip]
level = 6
)",
     R"(job.toml:7:1: filter 'gzip' has no 'from', so nothing reaches it)"},
    {"FromGoesRound",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
from = "a"
[filter.a]
type = "gzip"
from = "b"
[filter.b]
type = "gzip"
from = "a"
)",
     R"(job.toml:7:1: 'from' of 'a' goes round
job.toml:10:1: 'from' of 'b' goes round
job.toml:13:1: 'from' of 'a' goes round)"},
    {"SourceReachesNothing",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
from = "etc"
[source.other]
type = "folder"
path = "/srv"
)",
     R"(job.toml:8:9: source 'other' reaches no destination (A destination with `from` takes only the source at the end of that chain.))"},
    {"MinSuccessTooHigh",
     R"([job]
min_success = 2
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:9: 'min_success' is 2, source 'etc' has 1 destination)"},
    {"MemoryTooSmall",
     R"([job]
memory = "1MiB"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: 'memory' must be at least 4 MiB)"},
    {"BadMemory",
     R"([job]
memory = "lots"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:10: 'memory' must be a size (like "64MiB", "1.5GB" or a number of bytes))"},
    {"BadChunk",
     R"([job]
chunk = "100KiB"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: 'chunk' must be a power of two between 16 KiB and 16 MiB)"},
    {"BadHostname",
     R"([job]
hostname = "web 1"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: 'hostname' is 'web 1', which cannot be part of a file name (letters, digits, '.', '_' and '-', not beginning with '-'))"},
    {"UnknownPlaceholder",
     R"([job]
object = "/{host}/{id}.{ext}"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: 'object' has an unknown placeholder '{host}' (known: {hostname} {date} {time} {id} {ext} {job} {run}))"},
    {"ObjectWithoutId",
     R"([job]
object = "/{date}.{ext}"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: 'object' has no {id} (two sources would overwrite each other))"},
    {"ObjectLeavesItsFolder",
     R"([job]
object = "../{id}.{ext}"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: 'object' leaves its folder)"},
    {"UnknownTimezone",
     R"([job]
timezone = "Mars/Olympus"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:1: time zone 'Mars/Olympus': unknown on this machine (Use "UTC", "local" or a name like "Europe/Berlin".))"},
    {"BadOnExists",
     R"([job]
on_exists = "sufix"
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:13: 'on_exists' must be one of suffix, replace, fail, not 'sufix' (did you mean 'suffix'?))"},
    {"BadMaxParallel",
     R"([job]
max_parallel = 0
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:16: 'max_parallel' must be between 1 and 64, not 0)"},
    {"DuplicateKey",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
path = "/srv/other"
)",
     R"(job.toml:7:8: cannot redefine existing string 'path')"},
    {"DuplicateTable",
     R"([source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
[source.etc]
type = "folder"
path = "/srv"
)",
     R"(job.toml:7:1: cannot redefine existing table 'source.etc')"},
    {"SyntaxError",
     R"([job]
name = 
)",
     R"(job.toml:2:8: expected value, saw '\n')"},
    {"DateInsteadOfText",
     R"([job]
name = 2026-11-23
[source.etc]
type = "folder"
path = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:8: dates and times are not used in job files; write a string)"},
    {"ControlCharacter",
     "[source.etc]\ntype = \"folder\"\npath = \"/etc\"\n[destination.local]\ntype = \"file\"\npath "
     "= \"/srv/backups\"\n# \x07\n",
     R"(job.toml:7:3: control character 0x07)"},
    {"NulCharacter",
     R"([source.etc]
type = "folder"
path = "/e\u0000tc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:3:8: a string with a NUL character)"},
    {"SeveralAtOnce",
     R"([job]
memory = "lots"
pipeline = ["gzipp"]
[source.etc]
type = "folder"
pth = "/etc"
[destination.local]
type = "file"
path = "/srv/backups"
)",
     R"(job.toml:2:10: 'memory' must be a size (like "64MiB", "1.5GB" or a number of bytes)
job.toml:3:1: no filter 'gzipp' (did you mean 'gzip'?)
job.toml:4:9: [source.etc] needs 'path'
job.toml:6:1: unknown key 'pth' in [source.etc] (did you mean 'path'?))"},
};

class JobErrors : public ::testing::TestWithParam<test::BadJob> {};

TEST_P(JobErrors, AreToldWithPlaceAndRemedy) {
  EXPECT_EQ(test::job_error(GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Mistakes, JobErrors, ::testing::ValuesIn(bad_jobs), test::name_of);

}  // namespace
}  // namespace bp::stages
