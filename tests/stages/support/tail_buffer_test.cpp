#include "stages/support/tail_buffer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::stages {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TailBuffer, KeepsEverythingThatFits) {
  TailBuffer tail{8};
  tail.append("abc");
  tail.append("defgh");

  EXPECT_EQ(tail.text(), "abcdefgh");
}

TEST(TailBuffer, KeepsTheEndWhateverTheSizesOfThePieces) {
  for (std::size_t piece = 1; piece <= 20; ++piece) {
    TailBuffer tail{7};
    std::string all;
    for (char c = 'a'; c < 'k'; ++c) {
      all.append(piece, c);
      tail.append(std::string(piece, c));
      EXPECT_EQ(tail.text(), all.substr(all.size() - std::min<std::size_t>(all.size(), 7)));
    }
  }
}

TEST(MessageLines, AreTheLastOnesThatSaySomething) {
  EXPECT_THAT(message_lines("one\n\n  two \r\nthree", 10), ElementsAre("one", "two", "three"));
  EXPECT_THAT(message_lines("one\ntwo\nthree\n", 2), ElementsAre("two", "three"));
  EXPECT_THAT(message_lines("\n \n", 2), IsEmpty());
}

TEST(MessageLines, CannotSteerATerminal) {
  EXPECT_THAT(message_lines("\x1b[2Ja\tb\x7f\n", 1), ElementsAre("?[2Ja b?"));
}

}  // namespace
}  // namespace bp::stages
