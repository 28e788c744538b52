#include "engine/codec.hpp"

#include "tests/support/job_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bp {
namespace {

using test::Bytes;
using test::chunk;
using test::JobFixture;
using test::pattern;
using test::Witness;

/// Copies, at most so many bytes per step in and out, and ends with a trailer.
class Copier final : public Codec {
 public:
  Copier(std::size_t most_in, std::size_t most_out, std::size_t trailer = 0)
      : most_in_{most_in}, most_out_{most_out}, trailer_{trailer} {}
  Step step(std::span<const std::byte> in, std::span<std::byte> out, Input input) override {
    EXPECT_FALSE(out.empty()) << "a step without room cannot make progress";
    EXPECT_TRUE(input == Input::more || in.empty());
    Step step{.consumed = 0, .produced = 0, .done = false};
    // What was taken in and not yet written out is the codec's inside.
    step.consumed = std::min(in.size(), most_in_);
    inside_.insert(inside_.end(), in.begin(), in.begin() + static_cast<long>(step.consumed));
    if (input == Input::last && !ended_) {
      inside_.insert(inside_.end(), trailer_, std::byte{'!'});
      ended_ = true;
    }
    step.produced = std::min({inside_.size(), out.size(), most_out_});
    std::copy_n(inside_.begin(), step.produced, out.begin());
    inside_.erase(inside_.begin(), inside_.begin() + static_cast<long>(step.produced));
    step.done = input == Input::last && inside_.empty();
    return step;
  }

 private:
  std::size_t most_in_, most_out_, trailer_;
  Bytes inside_;
  bool ended_ = false;
};

/// Says the same again and again.
class Stubborn final : public Codec {
 public:
  explicit Stubborn(Step answer) : answer_{answer} {}
  Step step(std::span<const std::byte>, std::span<std::byte>, Input) override { return answer_; }

 private:
  Step answer_;
};

struct CodecRun {
  SourceReport report;
  Bytes output;
};

CodecRun run_codec(std::unique_ptr<Codec> codec, const Bytes& input) {
  JobFixture job;
  job.source("numbers", input);
  job.filter("codec", std::make_unique<CodecFilter>(std::move(codec)));
  const Witness& sink = job.sink("sink");
  SourceReport report = job.run();
  return {std::move(report), sink.visible};
}

Bytes with_trailer(Bytes bytes, std::size_t length) {
  bytes.insert(bytes.end(), length, std::byte{'!'});
  return bytes;
}

TEST(CodecFilter, DrainsACodecThatGivesOneByteAtATime) {
  const Bytes input = pattern(3 * chunk + 5);
  EXPECT_EQ(run_codec(std::make_unique<Copier>(chunk, 1, 10), input).output,
            with_trailer(input, 10));
}

TEST(CodecFilter, FeedsACodecThatTakesOneByteAtATime) {
  const Bytes input = pattern(3 * chunk + 5);
  EXPECT_EQ(run_codec(std::make_unique<Copier>(1, chunk, 10), input).output,
            with_trailer(input, 10));
}

TEST(CodecFilter, AsksForTheEndingAgainUntilItIsDone) {
  // The trailer alone fills several chunks.
  EXPECT_EQ(run_codec(std::make_unique<Copier>(chunk, chunk, 3 * chunk + 1), {}).output,
            with_trailer({}, 3 * chunk + 1));
}

TEST(CodecFilter, MakesNoEmptyChunkWhenTheOutputEndsWithAFullOne) {
  const Bytes input = pattern(2 * chunk);
  const CodecRun run = run_codec(std::make_unique<Copier>(chunk, chunk), input);
  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_EQ(run.output, input);
}

TEST(CodecFilter, GivesNothingForNothing) {
  const CodecRun run = run_codec(std::make_unique<Copier>(chunk, chunk), {});
  EXPECT_EQ(run.report.outcome, Outcome::stored);
  EXPECT_TRUE(run.output.empty());
}

TEST(CodecFilter, FailsACodecThatMakesNoProgress) {
  const Codec::Step nothing{.consumed = 0, .produced = 0, .done = false};
  const SourceReport report = run_codec(std::make_unique<Stubborn>(nothing), pattern(9)).report;
  EXPECT_STREQ(report.cause->what(), "codec: codec made no progress");
}

TEST(CodecFilter, FailsACodecThatIsDoneBeforeTheEnd) {
  const Codec::Step early{.consumed = 0, .produced = 0, .done = true};
  const SourceReport report = run_codec(std::make_unique<Stubborn>(early), pattern(9)).report;
  EXPECT_STREQ(report.cause->what(), "codec: codec made no progress");
}

TEST(CodecFilter, FailsACodecThatCountsWrong) {
  const Codec::Step took_too_much{.consumed = chunk + 1, .produced = 0, .done = false};
  const Codec::Step gave_too_much{.consumed = 1, .produced = chunk + 1, .done = false};
  for (const Codec::Step& wrong : {took_too_much, gave_too_much}) {
    const SourceReport report = run_codec(std::make_unique<Stubborn>(wrong), pattern(9)).report;
    EXPECT_STREQ(report.cause->what(), "codec: codec reported more than it was given");
  }
}

TEST(CodecFilter, DemandsTheMemoryItWasToldTo) {
  const CodecFilter filter{std::make_unique<Copier>(1, 1), {.min_chunks = 7, .wanted_chunks = 9}};
  EXPECT_EQ(filter.memory_demand(chunk).min_chunks, 7U);
}

}  // namespace
}  // namespace bp
