#include "stages/support/bytes_source.hpp"

#include <utility>

namespace bp::stages {

namespace {

class BytesSource final : public Source {
 public:
  explicit BytesSource(std::string text) : text_{std::move(text)} {}

  asio::awaitable<void> produce(Outlet& out, StageContext&) override {
    return out.write(std::as_bytes(std::span{text_}));
  }

 private:
  std::string text_;
};

}  // namespace

std::unique_ptr<Source> bytes_source(std::string text) {
  return std::make_unique<BytesSource>(std::move(text));
}

}  // namespace bp::stages
