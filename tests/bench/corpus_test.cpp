#include "bench/corpus.hpp"

#include "engine/error.hpp"
#include "tests/support/command.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace bp::bench {
namespace {

TEST(Corpus, OfSqlIsCompressedLikeADump) {
  const auto plain = test::bytes_of(sql_text(std::size_t{2} << 20U, 0));

  const auto packed = test::pipe_through("gzip -6", plain);

  const double ratio =
      static_cast<double>(plain.size()) / static_cast<double>(packed.output.size());
  EXPECT_GT(ratio, 3);
  EXPECT_LT(ratio, 4);
}

TEST(Corpus, HasTheSizeThatWasAskedForAndIsMadeOnce) {
  const test::TemporaryFolder folder;
  constexpr std::uint64_t bytes = 1'500'000;
  for (const std::string name : {"sql", "random"}) {
    const auto file = corpus(name, bytes, folder.path());
    EXPECT_EQ(std::filesystem::file_size(file), bytes);
    const auto made = std::filesystem::last_write_time(file);

    EXPECT_EQ(corpus(name, bytes, folder.path()), file);
    EXPECT_EQ(std::filesystem::last_write_time(file), made);
  }
}

TEST(Corpus, RefusesANameThatIsNeitherCorpusNorFile) {
  EXPECT_THROW((void)corpus("slq", 1, "/nonexistent"), Error);
}

}  // namespace
}  // namespace bp::bench
