#include "tools/output/live_view.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace bp::test {
namespace {

using tools::LiveView;

/// A pseudo-terminal: what is written to `screen` is read back from the other side.
class LiveViewTest : public testing::Test {
 protected:
  LiveViewTest() {
    keyboard = ::posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_EQ(::grantpt(keyboard), 0);
    EXPECT_EQ(::unlockpt(keyboard), 0);
    std::array<char, 64> name{};
    EXPECT_EQ(::ptsname_r(keyboard, name.data(), name.size()), 0);
    screen = ::open(name.data(), O_RDWR | O_NOCTTY);
    resize(100);
  }
  ~LiveViewTest() override {
    ::close(screen);
    ::close(keyboard);
  }
  void resize(unsigned short columns) const {
    const winsize size{.ws_row = 40, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::ioctl(screen, TIOCSWINSZ, &size), 0);
  }
  [[nodiscard]] std::string shown() const {
    std::array<char, 4096> block{};
    const ssize_t count = ::read(keyboard, block.data(), block.size());
    return count > 0 ? std::string(block.data(), static_cast<std::size_t>(count)) : std::string{};
  }

  int keyboard = -1, screen = -1;
};

TEST_F(LiveViewTest, DrawsOverWhatItDrewWithoutClearingTheScreen) {
  LiveView view{screen};
  view.draw({"one", "two"});
  EXPECT_EQ(shown(), "one\x1b[K\r\ntwo\x1b[K\r\n\x1b[J");

  view.draw({"three"});

  EXPECT_EQ(shown(), "\r\x1b[2Athree\x1b[K\r\n\x1b[J");
}

TEST_F(LiveViewTest, ErasesItselfWhenItGoes) {
  {
    LiveView view{screen};
    view.draw({"one"});
    EXPECT_NE(shown(), "");
  }

  EXPECT_EQ(shown(), "\r\x1b[1A\x1b[J");
}

TEST_F(LiveViewTest, GoesAndComesBackForALineOfTheLog) {
  LiveView view{screen};
  view.draw({"one"});
  EXPECT_NE(shown(), "");

  view.erase();
  EXPECT_EQ(shown(), "\r\x1b[1A\x1b[J");
  view.redraw();

  EXPECT_EQ(shown(), "one\x1b[K\r\n\x1b[J");
}

TEST_F(LiveViewTest, GoesUpOverLinesThatANarrowerTerminalHasBroken) {
  LiveView view{screen};
  view.draw({std::string(90, 'x')});
  EXPECT_NE(shown(), "");
  resize(40);

  EXPECT_EQ(view.width(), 40U);
  view.draw({"y"});

  EXPECT_EQ(shown(), "\r\x1b[3Ay\x1b[K\r\n\x1b[J");
}

}  // namespace
}  // namespace bp::test
