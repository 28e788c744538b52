#include "stages/filters/gpg_recipients.hpp"

#include "engine/blocking.hpp"
#include "stages/filters/gpg_engine.hpp"
#include "stages/filters/gpg_home.hpp"
#include "stages/filters/gpg_run.hpp"
#include "stages/support/child_process.hpp"
#include "stages/support/tail_buffer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unistd.h>

#include <functional>
#include <optional>
#include <utility>

namespace bp::stages {

namespace {

using Clock = std::chrono::system_clock;

constexpr std::chrono::hours soon{30 * 24};
constexpr std::chrono::seconds trial_limit{60};
constexpr std::size_t max_trial_bytes = std::size_t{1} << 20;

std::vector<std::string> argv_with_status(const std::string& binary, const std::string& home,
                                          const std::vector<std::string>& recipients, int status) {
  std::vector<std::string> argv = quiet_gpg(binary, home);
  const std::vector<std::string> rest{
      "--disable-dirmngr", "--status-fd", std::to_string(status),
      // The fingerprint in the job file is the trust.
      "--trust-model", "always",
      // Otherwise an old key's preferences decide, and they may ask for 3DES, without a checksum.
      "--cipher-algo", "AES256", "--compress-algo", "none", "--encrypt", "--output", "-"};
  argv.insert(argv.end(), rest.begin(), rest.end());
  for (const std::string& recipient : recipients) {
    argv.emplace_back("--recipient");
    argv.push_back(recipient);
  }
  return argv;
}

class GpgRecipients final : public Filter {
 public:
  GpgRecipients(RecipientOptions options, Journal* journal)
      : options_{std::move(options)}, journal_{journal} {}

  [[nodiscard]] MemoryDemand memory_demand(std::size_t) const override {
    return gpg_memory_demand();
  }

  asio::awaitable<void> preflight(StageContext& ctx) override {
    std::string version;
    std::function<void()> ask = [this, &version] { version = check_gpg_engine(options_.binary); };
    co_await on_own_thread("gpg check", std::move(ask));
    ctx.note("gpg", version);

    home_.emplace(journal_, std::string{ctx.name()});
    co_await import_keys(ctx, options_.binary, options_.origin, options_.recipients, home_->path());
    std::function<void()> look = [this] {
      keys_ = check_recipients(options_.binary, home_->path(), options_.recipients, options_.origin,
                               Clock::now());
    };
    co_await on_own_thread("gpg keys", std::move(look));
    ctx.note("recipients", fmt::format("{}", fmt::join(fingerprints(), " ")));
    warn_of_expiry(ctx);
    co_await try_to_encrypt(ctx);
  }

  asio::awaitable<void> transform(Inlet& in, Outlet& out, StageContext& ctx) override {
    if (!home_) throw Error{Errc::internal, "gpg was started before its keys were looked at"};
    const std::string home = home_->path().string();
    GpgCommand command{.argv = gpg_recipients_argv(options_.binary, home, fingerprints()),
                       .home = home,
                       .passphrase = {}};
    co_await run_gpg(in, out, ctx, std::move(command));
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

  /// gpg has the last word on a key: weak algorithms, times in the future, policies of its own.
  asio::awaitable<void> try_to_encrypt(StageContext& ctx) {
    const std::string home = home_->path().string();
    ChildOptions trial{
        .argv = argv_with_status(options_.binary, home, fingerprints(), STDERR_FILENO),
        .environment = {{"LC_ALL", "C"}, {"GNUPGHOME", home}}};
    const CommandResult result =
        co_await run_command(ctx, std::move(trial), trial_limit, max_trial_bytes);
    if (result.status.success()) co_return;
    std::vector<std::string> said = message_lines(result.errors, 100);
    std::erase_if(said, [](const std::string& line) { return line.starts_with("[GNUPG:]"); });
    throw Error{Errc::config, fmt::format("gpg refuses to encrypt to these recipients: {}",
                                          fmt::join(said, "; "))};
  }

  RecipientOptions options_;
  Journal* journal_;
  std::optional<GpgHome> home_;
  std::vector<RecipientKey> keys_;
};

}  // namespace

std::vector<std::string> gpg_recipients_argv(const std::string& binary, const std::string& home,
                                             const std::vector<std::string>& recipients) {
  return argv_with_status(binary, home, recipients, gpg_status_fd);
}

std::unique_ptr<Filter> gpg_recipients(RecipientOptions options, Journal* journal) {
  return std::make_unique<GpgRecipients>(std::move(options), journal);
}

}  // namespace bp::stages
