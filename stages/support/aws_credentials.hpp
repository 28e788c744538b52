// stages/support/aws_credentials.hpp — where keys for AWS and its look-alikes come from, and when
// they must be fetched again.
#pragma once

#include "config/secret.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace bp {
class StageContext;
}

namespace bp::stages {

namespace asio = boost::asio;

class HttpClient;

struct AwsCredentials {
  std::string access_key;
  config::Secret secret_key;
  std::string session_token;  ///< empty: long-lived keys
  std::optional<std::chrono::system_clock::time_point> expires;
  std::string origin;  ///< for messages: "profile 'backup' of ~/.aws/credentials"
};

/// Gives credentials, and new ones when the old have run out. I/O thread. One per destination;
/// several requests may ask at once: they share one fetch.
class AwsCredentialProvider {
 public:
  virtual ~AwsCredentialProvider() = default;
  /// The current ones; fetched at the first call, and again within five minutes of their expiry.
  /// Throws Errc::destination, with where was looked and what to do.
  [[nodiscard]] virtual asio::awaitable<std::shared_ptr<const AwsCredentials>> get(
      StageContext& ctx) = 0;
  /// The service said that these have expired or are unknown: the next get() fetches anew, unless
  /// another request has already done so since. True when new ones can be had at all (a literal key
  /// cannot change).
  [[nodiscard]] virtual bool refuse(const AwsCredentials& refused) = 0;
};

/// What a job file says; everything may be empty.
struct AwsCredentialSettings {
  std::optional<std::string> access_key;
  std::optional<config::SecretRef> secret_key, session_token;
  std::optional<std::string> profile;  ///< of ~/.aws/credentials and ~/.aws/config
};

/// In this order: the job file's keys; its `profile`; AWS_ACCESS_KEY_ID and friends; web identity
/// (AWS_ROLE_ARN + AWS_WEB_IDENTITY_TOKEN_FILE); ~/.aws/credentials and config (`default`, or
/// AWS_PROFILE), including credential_process; the container endpoint; the old tool's ~/.s3cfg
/// and ~/.boto; the instance's metadata service (IMDSv2). `http` outlives the provider.
[[nodiscard]] std::unique_ptr<AwsCredentialProvider> aws_credentials(AwsCredentialSettings settings,
                                                                     HttpClient& http);

}  // namespace bp::stages
