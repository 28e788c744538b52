// tests/support/threads.hpp — how many threads this process has, for tests that leave none behind.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace bp::test {

inline std::ptrdiff_t thread_count() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, {});
}

}  // namespace bp::test
