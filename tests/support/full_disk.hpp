// tests/support/full_disk.hpp — a while in which no file of this process can grow.
#pragma once

#include <signal.h>
#include <sys/resource.h>

#include <stdexcept>

namespace bp::test {

/// Every write that would make a file longer fails with EFBIG, which code should treat like any
/// other reason.
class FullDisk {
 public:
  FullDisk() {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    if (::setrlimit(RLIMIT_FSIZE, &none) != 0) throw std::runtime_error{"unable to limit files"};
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace bp::test
