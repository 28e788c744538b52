#include "stages/filters/gpg_recipients.hpp"

#include "engine/blocking.hpp"
#include "stages/filters/gpg_engine.hpp"
#include "stages/filters/gpg_home.hpp"
#include "stages/filters/gpg_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <optional>
#include <utility>

namespace bp::stages {

namespace {

using Clock = std::chrono::system_clock;

constexpr std::chrono::hours soon{30 * 24};

class GpgRecipients final : public Filter {
 public:
  GpgRecipients(RecipientOptions options, Journal* journal)
      : options_{std::move(options)}, journal_{journal} {}

  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return gpg_memory_demand();
  }

  asio::awaitable<void> preflight(StageContext& ctx) override {
    home_.emplace(journal_, std::string{ctx.name()});
    std::string version;
    std::function<void()> ask = [this, &version] {
      version = check_gpg_engine(options_.binary, home_->path().string());
    };
    co_await on_own_thread("gpg check", std::move(ask));
    ctx.note("gpg", version);
    co_await import_keys(ctx, options_.binary, options_.origin, options_.recipients, home_->path());
    std::function<void()> look = [this] {
      keys_ = check_recipients(options_.binary, home_->path(), options_.recipients, options_.origin,
                               Clock::now());
    };
    co_await on_own_thread("gpg keys", std::move(look));
    ctx.note("recipients", fmt::format("{}", fmt::join(fingerprints(), " ")));
    warn_of_expiry(ctx);
    // gpg has the last word: weak algorithms, times in the future, policies of its own.
    GpgSideChannels channels;
    std::vector<std::string> command = argv();
    co_await rehearse_gpg(ctx, std::move(channels), std::move(command));
  }

  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext& ctx) override {
    if (!home_) throw Error{Errc::internal, "gpg was started before its keys were looked at"};
    GpgSideChannels channels;
    std::vector<std::string> command = argv();
    co_await run_gpg(in, out, ctx, std::move(channels), std::move(command), options_.idle_limit);
    home_.reset();
  }

 private:
  [[nodiscard]] std::vector<std::string> fingerprints() const {
    std::vector<std::string> result;
    for (const RecipientKey& key : keys_) result.push_back(key.fingerprint);
    return result;
  }

  void warn_of_expiry(StageContext& ctx) const {
    const Clock::time_point now = Clock::now();
    for (const RecipientKey& key : keys_) {
      if (!key.expires || *key.expires > now + soon) continue;
      const auto days = std::chrono::duration_cast<std::chrono::days>(*key.expires - now);
      ctx.warn(fmt::format("key {} ({}) expires in {} days; then this job will fail",
                           key.fingerprint, key.user, days.count()));
    }
  }

  [[nodiscard]] std::vector<std::string> argv() const {
    return gpg_recipients_argv(options_.binary, home_->path().string(), fingerprints());
  }

  RecipientOptions options_;
  Journal* journal_;
  std::optional<GpgHome> home_;
  std::vector<RecipientKey> keys_;
};

}  // namespace

std::vector<std::string> gpg_recipients_argv(const std::string& binary, const std::string& home,
                                             const std::vector<std::string>& recipients) {
  std::vector<std::string> argv = quiet_gpg(binary, home);
  // clang-format off
  argv.insert(argv.end(), {
      "--disable-dirmngr", "--status-fd", std::to_string(gpg_status_fd),
      // The fingerprint in the job file is the trust.
      "--trust-model", "always",
      // Otherwise an old key's preferences decide, and they may ask for 3DES, without a checksum.
      "--cipher-algo", "AES256",
      "--compress-algo", "none",
      "--encrypt", "--output", "-"});
  // clang-format on
  for (const std::string& recipient : recipients) {
    argv.emplace_back("--recipient");
    argv.push_back(recipient);
  }
  return argv;
}

std::unique_ptr<Filter> gpg_recipients(RecipientOptions options, Journal* journal) {
  return std::make_unique<GpgRecipients>(std::move(options), journal);
}

}  // namespace bp::stages
