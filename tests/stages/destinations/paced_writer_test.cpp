#include "stages/destinations/paced_writer.hpp"

#include "stages/support/unique_fd.hpp"
#include "tests/support/memory_stages.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <cerrno>
#include <cstring>

namespace bp::test {
namespace {

TEST(PacedWriter, WritesEveryByteAcrossItsWindows) {
  const TemporaryFolder folder;
  const stages::UniqueFd fd{::open((folder / "f").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  const Bytes block = pattern(1'000'003);
  stages::PacedWriter writer{fd.get(), /*durable=*/true};

  for (int i = 0; i < 30; ++i) ASSERT_EQ(writer.write(block), 0);

  EXPECT_EQ(writer.bytes(), 30U * block.size());
  const std::string text = read_text(folder / "f");
  ASSERT_EQ(text.size(), 30U * block.size());
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(std::memcmp(&text[i * block.size()], block.data(), block.size()), 0) << i;
  }
}

TEST(PacedWriter, TellsThatTheDiskIsFull) {
  const stages::UniqueFd fd{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  stages::PacedWriter writer{fd.get(), /*durable=*/true};

  EXPECT_EQ(writer.write(bytes_of("data")), ENOSPC);
}

TEST(PacedWriter, MindsNoFileThatCannotBePaced) {
  const stages::UniqueFd fd{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  stages::PacedWriter writer{fd.get(), /*durable=*/true};

  EXPECT_EQ(writer.write(Bytes(20'000'000)), 0);
}

}  // namespace
}  // namespace bp::test
