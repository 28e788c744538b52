// tests/config/job_loader_test.cpp — mistakes that are found without knowing any stage type.
// One row per mistake: what is wrong in an otherwise good file, and exactly what a person is told.
#include "config/job.hpp"
#include "engine/error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bp::config {
namespace {

std::string job_error(std::string_view text) {
  try {
    Diagnostics diagnostics;
    (void)parse_job(text, "job.toml", true, diagnostics);
    diagnostics.throw_if_any();
    return "ok";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::config);
    return error.what();
  }
}

struct Mistake {
  std::string_view text;
  std::string_view message;
};

const std::string names_hint = " (letters, digits, '.', '_' and '-', not beginning with '-')";

/// Rows whose text goes before a source "s" and a destination "d".
const std::vector<Mistake> mistakes{
    // [job]
    {"[job]\nname = \"a b\"",
     "job.toml:2:1: 'name' is 'a b', which cannot be part of a file name (letters, "
     "digits, '.', '_' and '-', not beginning with '-')"},
    {"[job]\nname = \"\"",
     "job.toml:2:1: 'name' is '', which cannot be part of a file name (letters, "
     "digits, '.', '_' and '-', not beginning with '-')"},
    {"[job]\nhostname = \"../x\"",
     "job.toml:2:1: 'hostname' is '../x', which cannot be part of a file name "
     "(letters, digits, '.', '_' and '-', not beginning with '-')"},
    {"[job]\nbandwidth = 0",
     "job.toml:2:1: 'bandwidth' is 0: nothing would ever be stored (leave the key out for no "
     "limit)"},
    {"[job]\nzzz = \"1MB\"",
     "job.toml:2:1: unknown key 'zzz' in [job] (known: all_or_nothing, bandwidth, chunk, hostname, "
     "manifest_detail, max_parallel, memory, min_success, name, object, on_exists, pipeline, "
     "timezone, "
     "warnings_ok)"},
    {"[job]\nmemroy = \"1MB\"",
     "job.toml:2:1: unknown key 'memroy' in [job] (did you mean 'memory'?)"},
    {"[job]\nmemory = \"3MiB\"", "job.toml:2:1: 'memory' must be at least 4 MiB"},
    {"[job]\nmemory = true",
     "job.toml:2:10: 'memory' must be a size (like \"64MiB\", \"1.5GB\" or a number of bytes)"},
    {"[job]\nchunk = 8192",
     "job.toml:2:1: 'chunk' must be a power of two between 16 KiB and 16 MiB"},
    {"[job]\nchunk = \"32MiB\"",
     "job.toml:2:1: 'chunk' must be a power of two between 16 KiB and 16 MiB"},
    {"[job]\nchunk = 0", "job.toml:2:1: 'chunk' must be a power of two between 16 KiB and 16 MiB"},
    {"[job]\npipeline = 3",
     "job.toml:2:12: 'pipeline' must be an array of strings, not an integer"},
    {"[job]\npipeline = [\"gzip\", 3]",
     "job.toml:2:21: 'pipeline' must hold strings, not an integer"},
    {"[job]\npipeline = [\"a\", \"b\", \"a\"]", "job.toml:2:1: 'a' is twice in 'pipeline'"},
    {"[job]\nobject = \"{id}\"",
     "job.toml:2:1: 'object' has no {ext} (the name must say what it holds)"},
    {"[job]\nobject = \"{id}.{ext}/\"", "job.toml:2:1: 'object' has an empty folder name"},
    {"[job]\nobject = \"a/./{id}.{ext}\"", "job.toml:2:1: 'object' leaves its folder"},
    {"[job]\nobject = \"{id.{ext}\"",
     "job.toml:2:1: 'object' has an unknown placeholder '{id.{ext}' (known: {hostname} {date} "
     "{time} {id} "
     "{ext} {job} {run})"},
    {"[job]\nobject = \"{id}\\t.{ext}\"",
     "job.toml:2:1: 'object' has a character that some destination "
     "cannot store (letters, digits . _ - /)"},
    {"[job]\ntimezone = \"../passwd\"",
     "job.toml:2:1: time zone '../passwd': not a zone's name (Use \"UTC\", \"local\" or a name "
     "like "
     "\"Europe/Berlin\".)"},
    {"[job]\ntimezone = \"Europe\"",
     "job.toml:2:1: time zone 'Europe': unknown on this machine (Use \"UTC\", "
     "\"local\" or a name like \"Europe/Berlin\".)"},
    {"[job]\non_exists = true", "job.toml:2:13: 'on_exists' must be a string, not a boolean"},
    {"[job]\nmanifest_detail = \"ful\"",
     "job.toml:2:19: 'manifest_detail' must be one of normal, full, not "
     "'ful' (did you mean 'full'?)"},
    {"[job]\nmax_parallel = 65", "job.toml:2:16: 'max_parallel' must be between 1 and 64, not 65"},
    {"[job]\nmin_success = -1", "job.toml:2:15: 'min_success' must be between 0 and 64, not -1"},
    {"[job]\nmin_success = 2", "job.toml:3:9: 'min_success' is 2, source 's' has 1 destination"},
    {"[job]\nall_or_nothing = 1",
     "job.toml:2:18: 'all_or_nothing' must be true or false, not an integer"},
    {"[job]\nwarnings_ok = \"yes\"",
     "job.toml:2:15: 'warnings_ok' must be true or false, not a string"},
    {"[[job]]\nname = \"x\"", "job.toml:1:3: [job] must be a table, not an array"},
    // tables
    {"nmae = \"x\"",
     "job.toml:1:1: unknown table or key 'nmae' (known: job, source, filter, destination, "
     "notify)"},
    {"[sources.x]", "job.toml:1:2: unknown table or key 'sources' (did you mean 'source'?)"},
    {"[[filter]]\ntype = \"gzip\"", "job.toml:1:3: [filter.NAME] must be a table, not an array"},
    {"[[source.x]]\ntype = \"gzip\"",
     "job.toml:1:10: [source.x] must be a table, not an array (write [source.NAME], then its "
     "keys)"},
    {"[notify.\"\"]\ntype = \"smtp\"",
     "job.toml:1:9: '' is no name for a notify (letters, digits, '.', '_' and '-', not beginning "
     "with '-')"},
    {"[filter.\"..\"]\ntype = \"gzip\"",
     "job.toml:1:9: '..' is no name for a filter (letters, digits, '.', '_' and '-', not beginning "
     "with "
     "'-')"},
    {"[destination.\"a\\tb\"]\ntype = \"file\"", "job.toml:1:14: a key with a control character"},
    // sources
    {"[source.x]\npath = \"/\"", "job.toml:1:9: [source.x] needs 'type'"},
    {"[source.x]\ntype = \"\"", "job.toml:2:1: 'type' is empty"},
    {"[source.x]\ntype = \"t\"\nname = \"a\\r\\nBcc: b\"",
     "job.toml:3:1: 'name' has a line break (it goes into the headers of messages)"},
    {"[source.x]\ntype = \"t\"\nname = \"\"", "job.toml:3:1: 'name' is empty"},
    {"[source.x]\ntype = \"t\"\ndestinations = [\"e\"]",
     "job.toml:3:1: no destination 'e' (did you mean 'd'?)"},
    {"[source.x]\ntype = \"t\"\ndestinations = [\"d\", \"offsite\"]",
     "job.toml:3:1: no destination 'offsite' (known: d)"},
    {"[source.x]\ntype = \"t\"\ndestinations = [\"d\", \"d\"]",
     "job.toml:3:1: 'd' is twice in 'destinations'"},
    {"[source.x]\ntype = \"t\"\nmin_success = 2",
     "job.toml:3:1: 'min_success' is 2, source 'x' has 1 destination"},
    {"[source.x]\ntype = \"t\"\npassphrase = 7",
     R"(job.toml:3:14: 'passphrase' must be a secret ({ file = "/path" }, { env = "NAME" }, )"
     R"({ command = ["pass", "show", "x"] }, { credential = "x" } or a string))"},
    {"[source.x]\ntype = \"t\"\nall_or_nothing = 0",
     "job.toml:3:18: 'all_or_nothing' must be true or false, not an integer"},
    // filters and destinations
    {"[filter.x]\ntype = \"\"", "job.toml:2:1: 'type' is empty"},
    {"[filter.x]\nfrom = \"\"", "job.toml:2:1: 'from' is empty"},
    {"[filter.x]\nfrom = \"x\"", "job.toml:2:1: 'from' of 'x' goes round"},
    {"[filter.x]\nfrom = \"y\"\n[filter.y]\nfrom = \"tape\"",
     "job.toml:4:1: no source or filter 'tape' (known: s, x, y)"},
    {"[filter.s]\nfrom = \"s\"",
     "job.toml:2:1: 's' is a source and a filter, 'from' could mean both (rename one of them)"},
    {"[destination.x]\nrequired = false", "job.toml:1:14: [destination.x] needs 'type'"},
    {"[destination.x]\ntype = \"t\"\nrequired = \"no\"",
     "job.toml:3:12: 'required' must be true or false, not a string"},
    {"[destination.x]\ntype = \"t\"\nmax_stall = \"0s\"",
     "job.toml:3:1: 'max_stall' must be at least 1 second (leave it out for no limit)"},
    {"[destination.x]\ntype = \"t\"\nmax_stall = \"soon\"",
     "job.toml:3:13: 'max_stall' must be a duration (like \"90s\", \"5m\", \"2h30m\" or a number "
     "of "
     "seconds)"},
    {"[destination.x]\ntype = \"t\"\nfrom = \"s\"\npipeline = [\"gzip\"]",
     "job.toml:3:1: 'from' and 'pipeline' exclude each other"},
    // syntax
    {"[job]\nname = \"x\"\nname = \"y\"", "job.toml:3:8: cannot redefine existing string 'name'"},
    {"[job]\n[job]", "job.toml:2:1: cannot redefine existing table 'job'"},
    {"[job\nname = \"x\"", "job.toml:1:5: expected ']', saw '\\n'"},
    {"[job]\nname = 02:00:00",
     "job.toml:2:8: dates and times are not used in job files; write a string"},
};

class JobMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(JobMistakes, AreToldWithPlaceAndRemedy) {
  const std::string good = "\n[source.s]\ntype = \"t\"\n[destination.d]\ntype = \"t\"\n";
  EXPECT_EQ(job_error(std::string{GetParam().text} + good), GetParam().message) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(Table, JobMistakes, ::testing::ValuesIn(mistakes));

TEST(JobLoader, TellsAllMistakesAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(
      job_error("[destination.\"a/b\"]\ntype = \"t\"\n"
                "[filter.gpg]\nfrom = \"nowhere\"\n"
                "[source.s]\ntype = 1\nmin_success = 2\n"
                "[jbo]\n"
                "[job]\nchunk = 1\nzone = 1\n"),
      "job.toml:1:1: no destination: nothing would be stored (add a [destination.NAME])\n"
      "job.toml:1:14: 'a/b' is no name for a destination" +
          names_hint +
          "\n"
          "job.toml:4:1: no source or filter 'nowhere' (known: s, gpg)\n"
          "job.toml:6:8: 'type' must be a string, not an integer\n"
          "job.toml:8:2: unknown table or key 'jbo' (did you mean 'job'?)\n"
          "job.toml:10:1: 'chunk' must be a power of two between 16 KiB and 16 MiB\n"
          "job.toml:11:1: unknown key 'zone' in [job] (known: all_or_nothing, bandwidth, chunk, "
          "hostname, "
          "manifest_detail, max_parallel, memory, min_success, name, object, on_exists, pipeline, "
          "timezone, warnings_ok)");
}

TEST(JobLoader, NamesEveryChainThatGoesRound) {
  EXPECT_EQ(
      job_error("[source.s]\ntype = \"t\"\n"
                "[filter.a]\nfrom = \"b\"\n[filter.b]\nfrom = \"a\"\n[filter.c]\nfrom = \"b\"\n"
                "[filter.good]\nfrom = \"s\"\n"
                "[destination.d]\ntype = \"t\"\nfrom = \"c\"\n[destination.e]\ntype = \"t\"\nfrom "
                "= \"good\"\n"),
      "job.toml:4:1: 'from' of 'b' goes round\n"
      "job.toml:6:1: 'from' of 'a' goes round\n"
      "job.toml:8:1: 'from' of 'b' goes round\n"
      "job.toml:13:1: 'from' of 'c' goes round");
}

TEST(JobLoader, LimitsTheNumberOfTablesAndGoesOnWithTheFirst) {
  std::string text = "[source.s]\ntype = \"t\"\n";
  for (int i = 1; i <= 66; ++i) text += "[destination.d" + std::to_string(i) + "]\ntype = \"t\"\n";
  EXPECT_EQ(job_error(text),
            "job.toml:131:14: more than 64 [destination.NAME] tables (split the job file)");
}

}  // namespace
}  // namespace bp::config
