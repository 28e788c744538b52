// bench/works.hpp — what `compare` compares: one work, as our chain of stages and as the pipe one
// would write.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bp::bench {

/// What a work is done on and where its output goes.
struct Workplace {
  std::filesystem::path input;    ///< a corpus
  std::filesystem::path folder;   ///< a tree of files, for works that begin with one
  std::filesystem::path scratch;  ///< a folder for output, keys and passphrases
};

/// One thing done in two ways. Command lines are for bash; paths in them are quoted.
struct Work {
  std::string name;
  std::string theirs_name;                      ///< "pigz -6"
  std::string filter;                           ///< a filter type that must exist; empty: none
  std::vector<std::string> tools;               ///< programs that must be installed
  std::vector<std::string> ours;                ///< arguments for `pipeline`
  std::string theirs;                           ///< writes its result to stdout
  std::optional<std::filesystem::path> output;  ///< a file both write; empty: both discard
  bool on_folder = false;
};

/// All works; those of one name have the same `ours` and differ in what they are compared with.
[[nodiscard]] std::vector<Work> works(const Workplace& place);

}  // namespace bp::bench
