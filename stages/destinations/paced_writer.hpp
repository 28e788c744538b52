// stages/destinations/paced_writer.hpp — writes a file so that its fsync at the end is short.
//
// Left alone, the kernel collects gigabytes of unwritten pages, and the fsync after hours of
// dumping takes minutes in which nobody can be cancelled. So the disk is kept busy all along: one
// window is on its way to it while the next one is filled, and what it has is dropped from the page
// cache, which belongs to the services of this machine and not to their backup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bp::stages {

/// Writes to a descriptor that somebody else owns, from its beginning. Not for several threads.
class PacedWriter {
 public:
  static constexpr std::uint64_t window_bytes = std::uint64_t{8} << 20;

  /// Without `durable` it just writes.
  PacedWriter(int fd, bool durable) noexcept : fd_{fd}, durable_{durable} {}

  /// Writes all of it. Returns 0 or an errno value; it may be that of an earlier write, whose pages
  /// the disk refused. Waits for the disk.
  [[nodiscard]] int write(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] std::uint64_t bytes() const noexcept { return written_; }

 private:
  [[nodiscard]] int pass_on_windows() noexcept;

  int fd_;
  bool durable_;
  std::uint64_t written_ = 0;
  std::uint64_t started_ = 0;  ///< up to here the disk has been asked
  std::uint64_t settled_ = 0;  ///< up to here it has answered
};

}  // namespace bp::stages
