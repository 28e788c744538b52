#include "bench/s3_replies.hpp"

#include "engine/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bp::bench {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

S3Request request(std::string_view line, std::string_view headers = "") {
  return parse_request(std::string{line} + " HTTP/1.1\r\n" + std::string{headers} + "\r\n");
}

TEST(S3Request, IsTakenApart) {
  const S3Request put =
      request("PUT /b/k?partNumber=7&uploadId=upload-1", "Content-LENGTH:  12\r\n");

  EXPECT_EQ(put.method, "PUT");
  EXPECT_EQ(put.path, "/b/k");
  EXPECT_EQ(put.parameter("partNumber"), "7");
  EXPECT_EQ(put.parameter("Number"), "");
  EXPECT_EQ(put.header("content-length"), "12");
}

TEST(S3Request, RefusesWhatIsNoHttp) {
  EXPECT_THROW((void)parse_request("hello\r\n\r\n"), Error);
  EXPECT_THROW((void)parse_request("GET / HTTP/1.1\r\nrubbish\r\n\r\n"), Error);
  EXPECT_THROW((void)parse_request("GET / HTTP/1.1\r\n"), Error);
}

TEST(S3Memory, RemembersTheLengthOfAnUploadInParts) {
  S3Memory memory;
  EXPECT_THAT(memory.answer(request("POST /b/k?uploads"), 0).text,
              HasSubstr("<UploadId>upload-1</UploadId>"));
  (void)memory.answer(request("PUT /b/k?partNumber=1&uploadId=upload-1"), 100);
  (void)memory.answer(request("PUT /b/k?partNumber=2&uploadId=upload-1"), 10);
  const auto again = memory.answer(request("PUT /b/k?partNumber=2&uploadId=upload-1"), 20);
  EXPECT_EQ(again.event, S3Memory::Event::part);
  EXPECT_THAT(memory.answer(request("HEAD /b/k"), 0).text, StartsWith("HTTP/1.1 404"));

  const auto done = memory.answer(request("POST /b/k?uploadId=upload-1"), 50);

  EXPECT_EQ(done.event, S3Memory::Event::completed);
  EXPECT_THAT(done.text, HasSubstr("-2\"</ETag>"));
  EXPECT_THAT(memory.answer(request("HEAD /b/k"), 0).text, HasSubstr("Content-Length: 120\r\n"));
}

TEST(S3Memory, ForgetsAnAbortedUpload) {
  S3Memory memory;
  (void)memory.answer(request("POST /b/k?uploads"), 0);

  EXPECT_EQ(memory.answer(request("DELETE /b/k?uploadId=upload-1"), 0).event,
            S3Memory::Event::aborted);

  EXPECT_THAT(memory.answer(request("POST /b/k?uploadId=upload-1"), 0).text,
              StartsWith("HTTP/1.1 404"));
}

TEST(S3Memory, GivesTheMd5ThatCameWithABodyAsItsETag) {
  S3Memory memory;
  // MD5 of "hello".
  const auto put =
      memory.answer(request("PUT /b/k", "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n"), 5);

  EXPECT_THAT(put.text, HasSubstr("ETag: \"5d41402abc4b2a76b9719d911017c592\""));
}

TEST(S3Memory, DoesNotPretendToKnowOtherRequests) {
  S3Memory memory;
  EXPECT_THAT(memory.answer(request("GET /b?list-type=2"), 0).text, StartsWith("HTTP/1.1 501"));
}

TEST(S3Memory, SendsNoLengthWithNoContent) {
  S3Memory memory;
  EXPECT_THAT(memory.answer(request("DELETE /b/k"), 0).text, Not(HasSubstr("Content-Length")));
}

}  // namespace
}  // namespace bp::bench
