#include "engine/error.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <new>
#include <system_error>
#include <utility>

namespace bp {

struct Error::Body {
  Errc code;
  bool retryable;
  std::string message;
  std::string hint;
};

std::string_view to_string(Errc code) noexcept {
  switch (code) {
    case Errc::config:
      return "config";
    case Errc::source:
      return "source";
    case Errc::transform:
      return "transform";
    case Errc::destination:
      return "destination";
    case Errc::timeout:
      return "timeout";
    case Errc::cancelled:
      return "cancelled";
    case Errc::peer_failed:
      return "peer_failed";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

Error::Error(Errc code, std::string message, std::string hint)
    : body_{std::make_shared<const Body>(
          Body{code, /*retryable=*/false, std::move(message), std::move(hint)})} {}

Error::Error(std::shared_ptr<const Body> body) : body_{std::move(body)} {}

Error Error::within(std::string_view activity) const {
  return Error{std::make_shared<const Body>(Body{body_->code, body_->retryable,
                                                 fmt::format("{}: {}", activity, body_->message),
                                                 body_->hint})};
}

Error Error::as_retryable() const {
  Body body = *body_;
  body.retryable = true;
  return Error{std::make_shared<const Body>(std::move(body))};
}

Errc Error::code() const noexcept {
  return body_->code;
}
bool Error::retryable() const noexcept {
  return body_->retryable;
}
bool Error::is_consequence() const noexcept {
  return body_->code == Errc::cancelled || body_->code == Errc::peer_failed;
}
std::string_view Error::hint() const noexcept {
  return body_->hint;
}
const char* Error::what() const noexcept {
  return body_->message.c_str();
}

Error to_error(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error;
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted) {
      return Error{Errc::cancelled, "cancelled"};
    }
    return Error{Errc::internal, error.what()};
  } catch (const std::bad_alloc&) {
    return Error{Errc::internal, "out of memory"};
  } catch (const std::exception& error) {
    return Error{Errc::internal, error.what()};
  } catch (...) {
    return Error{Errc::internal, "an exception of unknown type was thrown"};
  }
}

std::string system_reason(int errno_value) {
  return std::system_category().message(errno_value);
}

}  // namespace bp
