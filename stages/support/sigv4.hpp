// stages/support/sigv4.hpp — AWS Signature Version 4: signs a request for S3, EC2, RDS or STS.
//
// Source: "Signature Version 4 signing process", AWS General Reference; S3 encodes a path once,
// other services twice. Own code, because libcurl 7.88's signs several of our requests wrongly
// (FAULTS 3.1), and each attempt must be signed anew.
#pragma once

#include "stages/support/http.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace bp::stages {

struct AwsCredentials;

struct SigningScope {
  std::string region;   ///< "eu-west-3"
  std::string service;  ///< "s3", "rds", "ec2", "sts"
};

/// The SHA-256 of a payload in lower-case hexadecimal, as x-amz-content-sha256 carries it.
[[nodiscard]] std::string payload_hash(const HttpBody& body);

/// Adds X-Amz-Date, X-Amz-Content-Sha256 (S3; `hash` may be "UNSIGNED-PAYLOAD"),
/// X-Amz-Security-Token (if any) and Authorization; replaces those of an earlier attempt. Signs
/// Host and every header of the request. Any thread; pure: the same input gives the same signature.
void sign(HttpRequest& request, const SigningScope& scope, const AwsCredentials& credentials,
          std::string_view hash, std::chrono::system_clock::time_point now);

}  // namespace bp::stages
