#include "bench/works.hpp"

#include <fmt/format.h>

#include <utility>

namespace bp::bench {

namespace {

std::string quoted(const std::filesystem::path& path) {
  std::string text = "'";
  for (const char c : path.string()) c == '\'' ? text += "'\\''" : text += c;
  return text + "'";
}

/// With the cipher and the key stretching that the gpg stage uses, so that the work is the same.
std::string gpg(const Workplace& place) {
  return fmt::format(
      "gpg --homedir {0} --batch --quiet --no-tty --no-autostart --pinentry-mode loopback "
      "--passphrase-file {0}/passphrase --symmetric --cipher-algo AES256 --s2k-mode 3 "
      "--s2k-digest-algo SHA512 --s2k-count 65011712 --compress-algo none --output -",
      quoted(place.scratch));
}

Work file_work(const Workplace& place, std::string name, std::string stage, std::string theirs_name,
               std::string command) {
  const std::string filter = stage.substr(0, stage.find(':'));
  const std::string tool = theirs_name.substr(0, theirs_name.find(' '));
  return {.name = std::move(name),
          .theirs_name = std::move(theirs_name),
          .filter = filter,
          .tools = {tool},
          .ours = {"--source", place.input.string(), "--stages", std::move(stage)},
          .theirs = fmt::format("{} < {}", command, quoted(place.input)),
          .output = std::nullopt,
          .on_folder = false};
}

Work folder_work(const Workplace& place, std::string theirs_name, std::vector<std::string> tools,
                 std::string theirs) {
  return {.name = "folder-gzip-gpg-file",
          .theirs_name = std::move(theirs_name),
          .filter = "gpg",
          .tools = std::move(tools),
          .ours = {"--source", "folder:" + place.folder.string(), "--stages", "gzip:6,gpg",
                   "--digests", "--no-fsync"},
          .theirs = std::move(theirs),
          .output = place.scratch / "output",
          .on_folder = true};
}

}  // namespace

std::vector<Work> works(const Workplace& place) {
  const std::string folder = quoted(place.folder);
  return {
      file_work(place, "gzip", "gzip:6", "pigz -6", "pigz -6 -c"),
      file_work(place, "gzip-fast", "gzip:1", "pigz -1", "pigz -1 -c"),
      file_work(place, "zstd", "zstd:3", "zstd -3 -T2", "zstd -3 -T2 -q -c"),
      file_work(place, "gpg", "gpg", "gpg", gpg(place)),
      folder_work(place, "tar | pigz | gpg", {"tar", "pigz", "gpg"},
                  fmt::format("tar -cf - -C {} . | pigz -6 | {}", folder, gpg(place))),
      folder_work(place, "tar cz | gpg", {"tar", "gzip", "gpg"},
                  fmt::format("tar -czf - -C {} . | {}", folder, gpg(place))),
      {.name = "engine",
       .theirs_name = "cat | cat",
       .filter = "",
       .tools = {"cat"},
       .ours = {"--source", place.input.string()},
       .theirs = fmt::format("cat {} | cat", quoted(place.input)),
       .output = std::nullopt,
       .on_folder = false},
  };
}

}  // namespace bp::bench
