#include "bench/corpus.hpp"

#include "bench/child.hpp"
#include "bench/synthetic_source.hpp"
#include "engine/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>

namespace bp::bench {

namespace {

constexpr std::size_t piece = std::size_t{1} << 20U;

template <std::size_t size>
std::string_view one_of(const std::array<std::string_view, size>& words, std::mt19937_64& random) {
  return words[random() % size];
}

void add_order(std::string& text, std::uint64_t id, std::mt19937_64& random) {
  constexpr std::array<std::string_view, 16> first{
      "Anna", "Boris", "Clara", "David", "Emma",  "Felix", "Greta", "Hugo",
      "Ida",  "Jonas", "Karin", "Lukas", "Maria", "Nils",  "Olga",  "Paul"};
  constexpr std::array<std::string_view, 16> last{
      "Abel",   "Berger", "Conrad", "Dietz", "Engel", "Fischer", "Graf", "Huber",
      "Jansen", "Keller", "Lang",   "Meyer", "Nowak", "Peters",  "Roth", "Schmidt"};
  constexpr std::array<std::string_view, 5> state{"new", "paid", "packed", "shipped", "returned"};
  constexpr std::array<std::string_view, 4> city{"Hamburg", "Leipzig", "Utrecht", "Graz"};
  const std::string_view name = one_of(first, random), family = one_of(last, random);
  fmt::format_to(std::back_inserter(text),
                 "INSERT INTO `orders` VALUES ({},'2025-{:02}-{:02} {:02}:{:02}:{:02}','{} {}',"
                 "'{}.{}{}@example.com','{}',{}.{:02},'{}','{:016x}');\n",
                 id, 1 + random() % 12, 1 + random() % 28, random() % 24, random() % 60,
                 random() % 60, name, family, name, family, random() % 1000, one_of(city, random),
                 random() % 500, random() % 100, one_of(state, random), random());
}

/// Writes `bytes` bytes of what `next` gives, piece by piece.
void write(const std::filesystem::path& file, std::uint64_t bytes,
           const std::function<std::string(std::uint64_t position)>& next) {
  std::ofstream stream{file, std::ios::binary | std::ios::trunc};
  for (std::uint64_t position = 0; position < bytes && stream;) {
    const std::string text = next(position);
    const std::uint64_t n = std::min<std::uint64_t>(text.size(), bytes - position);
    stream.write(text.data(), static_cast<std::streamsize>(n));
    position += n;
  }
  if (!stream.flush()) {
    throw Error{Errc::destination, fmt::format("unable to write '{}'", file.string()),
                "Choose another place with --corpus-dir."};
  }
}

std::string random_bytes(std::uint64_t position) {
  std::string text(piece, '\0');
  fill_synthetic(std::as_writable_bytes(std::span{text}), 1, position);
  return text;
}

void make_usr(const std::filesystem::path& file, std::uint64_t bytes) {
  // tar dies of the closed pipe when head has enough, and grumbles about files it may not read.
  const ChildRun made =
      run_child({"bash", "-c", "tar -cf - -C / usr/lib 2>/dev/null | head -c \"$0\" > \"$1\"",
                 std::to_string(bytes), file.string()});
  if (made.status != 0) {
    throw Error{Errc::destination, fmt::format("unable to make '{}' of /usr/lib", file.string())};
  }
}

void make(const std::string& name, const std::filesystem::path& file, std::uint64_t bytes) {
  if (name == "usr") return make_usr(file, bytes);
  if (name == "random") return write(file, bytes, random_bytes);
  write(file, bytes, [](std::uint64_t position) { return sql_text(piece, position); });
}

}  // namespace

std::vector<std::string> corpus_names() {
  return {"sql", "usr", "random"};
}

std::filesystem::path corpus_folder() {
  return std::filesystem::temp_directory_path() / "backup-pipe-corpora";
}

std::filesystem::path corpus(const std::string& name, std::uint64_t bytes,
                             const std::filesystem::path& folder) {
  const std::vector<std::string> names = corpus_names();
  if (std::ranges::find(names, name) == names.end()) {
    if (std::filesystem::is_regular_file(name)) return std::filesystem::absolute(name);
    throw Error{Errc::config, fmt::format("'{}' is neither a corpus nor a file", name),
                "There are sql, usr and random."};
  }
  const std::filesystem::path file = folder / fmt::format("{}-{}", name, bytes);
  if (std::filesystem::exists(file)) return file;
  std::filesystem::create_directories(folder);
  const std::filesystem::path unfinished = file.string() + ".unfinished";
  make(name, unfinished, bytes);
  std::filesystem::rename(unfinished, file);
  return file;
}

std::string sql_text(std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::string text;
  text.reserve(bytes + 256);
  for (std::uint64_t id = 1 + seed / 64; text.size() < bytes; ++id) add_order(text, id, random);
  return text;
}

}  // namespace bp::bench
