// bench/corpus.hpp — named files to measure with, made once and kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bp::bench {

/// The names of corpora: "sql", "usr", "random".
[[nodiscard]] std::vector<std::string> corpus_names();

/// The default folder: backup-pipe-corpora below $TMPDIR.
[[nodiscard]] std::filesystem::path corpus_folder();

/// The file of a corpus of `bytes` bytes below `folder`, made when it is not there yet. A name that
/// is no corpus is taken for a file of the user's. "usr" holds what this machine's /usr/lib holds,
/// and may be shorter; the others are the same everywhere. Throws Errc::config and
/// Errc::destination.
[[nodiscard]] std::filesystem::path corpus(const std::string& name, std::uint64_t bytes,
                                           const std::filesystem::path& folder);

/// The beginning of the SQL-like text, at least `bytes` long, cut after a line: INSERTs of orders.
[[nodiscard]] std::string sql_text(std::size_t bytes, std::uint64_t seed);

}  // namespace bp::bench
