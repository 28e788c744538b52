// tests/config/hostile_job_test.cpp — job files made to crash, to hang or to fill the memory of the
// loader.
#include "config/job.hpp"
#include "config/lexical_guard.hpp"
#include "engine/error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <random>
#include <vector>

namespace bp::config {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;  // their shadow memory and their pace are not ours
#else
constexpr bool sanitized = false;
#endif

std::string repeated(int count, const std::function<std::string(int)>& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line(i);
  return text;
}

struct Hostile {
  const char* name;
  std::function<std::string()> text;
};

const std::vector<Hostile> files{
    {"DottedKey", [] { return "a" + repeated(50'000, [](int) { return ".a"; }) + " = 1"; }},
    {"DottedTable", [] { return "[a" + repeated(50'000, [](int) { return ".a"; }) + "]"; }},
    {"DottedKeyBehindFourQuotes",
     [] {
       return R"(a = {x = """q"""", b)" + repeated(50'000, [](int) { return ".b"; }) +
              R"( = 1, y = """q""""})";
     }},
    {"DeepArray", [] { return "a = " + std::string(200'000, '['); }},
    {"DeepArrayOverLines", [] { return "a = " + repeated(100'000, [](int) { return "[\n"; }); }},
    {"NulCharacters", [] { return std::string(200'000, '\0'); }},
    {"TwoHundredKilobytesOfName",
     [] { return "[source." + std::string(200'000, 'x') + "]\ntype = 't'\n"; }},
    {"DottedKeysWithinTheLimit",
     [] {
       return repeated(3800, [](int i) {
         return "a" + std::to_string(i) + repeated(30, [](int) { return ".b"; }) + "=1\n";
       });
     }},
    {"ManyValues", [] { return "a = [" + repeated(130'000, [](int) { return "1,"; }) + "]\n"; }},
    {"ManyUnknownKeys",
     [] {
       return "[job]\n" + repeated(25'000, [](int i) { return "k" + std::to_string(i) + "=1\n"; });
     }},
    {"ManyUnknownDestinations",
     [] {
       return "[source.s]\ntype='t'\ndestinations=[" +
              repeated(5000, [](int i) { return "'q" + std::to_string(i) + "',"; }) + "]\n" +
              repeated(5000, [](int i) {
                return "[destination.d" + std::to_string(i) + "]\ntype='t'\n";
              });
     }},
    {"ManySourcesForEachDestination",
     [] {
       return repeated(4500,
                       [](int i) { return "[source.s" + std::to_string(i) + "]\ntype='t'\n"; }) +
              repeated(
                  4500,
                  [](int i) { return "[destination.d" + std::to_string(i) + "]\ntype='t'\n"; }) +
              "x=1";
     }},
    {"LongChain",
     [] {
       return repeated(7000, [](int i) {
         return "[filter.f" + std::to_string(i) + "]\nfrom = 'f" + std::to_string(i + 1) + "'\n";
       });
     }},
    {"SameFilterAgainAndAgain",
     [] { return "[job]\npipeline = [" + repeated(60'000, [](int) { return "'q',"; }) + "]\n"; }},
};

class HostileJob : public ::testing::TestWithParam<Hostile> {
 protected:
  /// Loads the file in a process of its own and says how it ended; `used` is what that cost.
  static int load_in_child(const std::filesystem::path& file, rusage& used) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        Diagnostics diagnostics;
        (void)load_job(file, diagnostics);
        diagnostics.throw_if_any();
        ::_exit(1);
      } catch (const Error& error) {
        ::_exit(std::string_view{error.what()}.starts_with(file.native() + ":") ? 0 : 2);
      }
    }
    int status = 0;
    ::wait4(child, &status, 0, &used);
    return status;
  }
  static double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  }
  static void expect_refused_cheaply(const std::filesystem::path& file) {
    rusage used{};
    EXPECT_EQ(load_in_child(file, used), 0) << "neither refused nor refused by name";
    if (sanitized) return;
    EXPECT_LT(seconds_of(used.ru_utime) + seconds_of(used.ru_stime), 1.0);
    EXPECT_LT(used.ru_maxrss, 64 << 10) << "KiB";
  }
  test::TemporaryFolder folder;
};

TEST_P(HostileJob, IsRefusedByNameWithinOneSecondAnd64Megabytes) {
  const std::filesystem::path file = folder / "job.toml";
  test::write_text(file, GetParam().text());
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  expect_refused_cheaply(file);
}

INSTANTIATE_TEST_SUITE_P(Files, HostileJob, ::testing::ValuesIn(files),
                         [](const auto& file) { return std::string{file.param.name}; });

using HugeJob = HostileJob;

TEST_F(HugeJob, IsRefusedBeforeItIsRead) {
  const std::filesystem::path file = folder / "job.toml";
  test::write_text(file, "a = 1\n");
  std::filesystem::resize_file(file, std::uintmax_t{50} << 20);
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  expect_refused_cheaply(file);
}

TEST(MangledJob, IsReadOrRefusedButNeverCrashes) {
  const std::string good = R"([job]
pipeline = ["gzip", 'gpg'] # comment
object = "/{hostname}/{date}/{id}.{ext}"
[source.etc]
type = "folder"
passphrase = { file = "/x" }
note = """a
"b""""
[filter.gpg]
from = "etc"
[destination.nas]
type = 'file'
max_stall = "5m"
)";
  const std::string_view alphabet = "\"\"\"'''[[{{]}=..,#\\\n\r\t 0aué\x80\xff";
  std::mt19937 random{20'261'123};  // the same files each time
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (std::size_t edits = 1 + random() % 8; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 9);
      } else {
        text.insert(at, 1 + random() % 3, alphabet[random() % alphabet.size()]);
      }
      if (text.empty()) text = "x";
    }
    try {
      Diagnostics diagnostics;
      (void)parse_job(text, "job.toml", true, diagnostics);
      diagnostics.throw_if_any();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::config) << error.what();
      EXPECT_TRUE(std::string_view{error.what()}.starts_with("job.toml:")) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace bp::config
