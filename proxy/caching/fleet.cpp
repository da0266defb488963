#include "proxy/caching/fleet.hpp"

#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "core/limits.hpp"
#include "core/rng.hpp"

namespace scrollgate {
namespace {

constexpr Duration credentials_look = std::chrono::seconds(2);

}  // namespace

// ---- a worker's part

FleetSeat::FleetSeat(Fleet& fleet, EventLoop& loop, bool first, redis::Statistics& statistics,
                     redis::Statistics* of_log)
    : fleet_(fleet),
      loop_(loop),
      resolver_(std::make_unique<redis::LoopResolver>(loop, fleet.around_.control,
                                                      fleet.around_.resolver)) {
    const redis::Credentials& credentials = fleet.credentials_.present();
    const redis::Surroundings around{loop, fleet.around_.dialer, *resolver_, statistics, first};
    client_ = std::make_unique<redis::Client>(around, fleet.settings_, credentials);
    client_->teach(tier::Tier::tag_script());
    client_->teach(tier::Tier::put_script());
    client_->teach(tier::Tier::names_script());
    client_->teach(tier::Tier::take_script());
    client_->teach(tier::Tier::return_script());
    tier_ = std::make_unique<tier::Tier>(fleet.state_, *client_, loop);
    if (of_log == nullptr) return;
    client_->teach(tier::FleetLog::reclaim_script());
    const redis::Surroundings for_log{loop, fleet.around_.dialer, *resolver_, *of_log, false};
    reader_ = std::make_unique<redis::Client>(for_log, fleet.settings_, credentials);
    subscribe(credentials);
    std::vector<tier::RemoteLog*> others;
    for (const OtherCloud& cloud : fleet.others_)
        others.push_back(add_other(cloud));
    log_ = std::make_unique<tier::FleetLog>(
        tier::FleetLog::Around{loop, *reader_, *client_, fleet.state_, fleet.name_,
                               [&fleet] { fleet.tell_purged(); }, std::move(others)});
}

void FleetSeat::subscribe(const redis::Credentials& credentials) {
    const redis::Surroundings around{loop_, fleet_.around_.dialer, *resolver_,
                                     fleet_.subscription_statistics_, false};
    tier::TierState& state = fleet_.state_;
    redis::Subscription::Events events;
    events.message = [&state](std::string_view, std::string_view lease) {
        state.waits.freed(lease);
    };
    events.listening = [&state](bool on) { state.waits.listens(on); };
    subscription_ = std::make_unique<redis::Subscription>(
        around, fleet_.settings_, credentials, std::vector{state.freed}, std::move(events));
}

tier::RemoteLog* FleetSeat::add_other(const OtherCloud& cloud) {
    const auto client = [&](redis::Statistics& statistics) {
        const redis::Surroundings around{loop_, fleet_.around_.dialer, *resolver_, statistics};
        return std::make_unique<redis::Client>(around, cloud.settings, cloud.credentials.present());
    };
    Other& other = others_.emplace_back();
    other.reader = client(*cloud.reading);
    other.writer = client(*cloud.writing);
    other.log = std::make_unique<tier::RemoteLog>(
        tier::RemoteLog::Around{loop_, *other.reader, *other.writer, fleet_.state_.prefix,
                                fleet_.state_.counts, *cloud.state, cloud.settings->shown,
                                [this](const tier::LogRecord& record) { log_->bring(record); }});
    return other.log.get();
}

FleetSeat::~FleetSeat() = default;

void FleetSeat::start() {
    client_->start();
    if (reader_) reader_->start();
    if (subscription_) subscription_->start();
    if (log_) log_->start();
    for (Other& other : others_) {
        other.reader->start();
        other.writer->start();
        other.log->start();
    }
}

void FleetSeat::stop() noexcept {
    {
        const std::lock_guard lock(fleet_.mutex_);
        std::erase(fleet_.seats_, this);
    }
    tier_->stop();
    if (log_) log_->stop();
    for (Other& other : others_) {
        other.log->stop();
        other.reader.reset();
        other.writer.reset();
    }
    subscription_.reset();
    reader_.reset();
    client_.reset();
    resolver_.reset();
}

void FleetSeat::authenticate(const redis::Credentials& credentials) {
    if (client_) client_->authenticate(credentials);
    if (reader_) reader_->authenticate(credentials);
    if (subscription_) subscription_->authenticate(credentials);
}

void FleetSeat::authenticate(std::size_t other, const redis::Credentials& credentials) {
    if (!client_ || other >= others_.size()) return;
    others_[other].reader->authenticate(credentials);
    others_[other].writer->authenticate(credentials);
}

void FleetSeat::say(Purge purge, std::uint64_t since, tier::FleetLog::Done done) {
    if (client_) log_->say(std::move(purge), since, std::move(done));
}

// ---- the process's

Fleet::Fleet(const config::Redis& config, Around around)
    : around_(std::move(around)),
      settings_(redis::make_settings(config)),
      credentials_(config),
      state_(around_.store, config),
      name_(fmt::format("{}-{:08x}", around_.node, random_seed() & 0xffffffffU)) {
    for (const config::RedisUrl& url : config.purge_log)
        others_.push_back({redis::make_settings(config, url, limits::tier_ask), {config, url}});
    look_at_credentials();
}

Fleet::~Fleet() {
    around_.alarm->cancel();
}

void Fleet::post_to_seats(const std::function<void(FleetSeat&)>& work) {
    const std::lock_guard lock(mutex_);
    for (FleetSeat* const seat : seats_)
        seat->loop().post([seat, work] { work(*seat); });
}

void Fleet::look_at_credentials() {
    around_.alarm->set(credentials_look, [this] {
        if (credentials_.look())
            post_to_seats(
                [now = credentials_.present()](FleetSeat& seat) { seat.authenticate(now); });
        for (std::size_t i = 0; i < others_.size(); ++i)
            if (others_[i].credentials.look())
                post_to_seats([i, now = others_[i].credentials.present()](FleetSeat& seat) {
                    seat.authenticate(i, now);
                });
        look_at_credentials();
    });
}

std::unique_ptr<FleetSeat> Fleet::seat(EventLoop& loop) {
    statistics_.push_back(std::make_unique<redis::Statistics>());
    const bool first = statistics_.size() == 1;
    auto made = std::make_unique<FleetSeat>(*this, loop, first, *statistics_.back(),
                                            first ? &log_statistics_ : nullptr);
    const std::lock_guard lock(mutex_);
    seats_.push_back(made.get());
    return made;
}

std::optional<std::uint64_t> Fleet::purge(const Purge& purge, Done done) {
    // Before it is made: from now on nothing from Redis escapes it.
    const std::uint64_t since = state_.positions.own_began();
    const std::optional<std::uint64_t> number = state_.store.purge(purge);
    // No key is so long that this covers it, and readers take it for no record.
    const bool covers_nothing = purge.what.size() > limits::cache_key;
    const std::lock_guard lock(mutex_);
    if (!number || covers_nothing || seats_.empty() || !seats_.front()->has_log()) {
        state_.positions.own_ended(since);
        if (number && done) boost::asio::post(around_.control, [done] { done(Made{}); });
        return number;
    }
    tier::FleetLog::Done back;
    if (done) {
        back = [&control = around_.control, done = std::move(done)](const Made& made) {
            boost::asio::post(control, [done, made] { done(made); });
        };
    }
    FleetSeat* const seat = seats_.front();
    seat->loop().post([seat, purge, since, back] { seat->say(purge, since, back); });
    return number;
}

std::vector<std::string> Fleet::unwritten() const {
    std::vector<std::string> logs;
    const auto add = [&](std::size_t count, const std::string& where) {
        if (count > 0) logs.push_back(fmt::format("{} to {}", count, where));
    };
    add(state_.positions.own_under_way(), shown());
    for (const OtherCloud& cloud : others_)
        add(cloud.state->waiting.load(std::memory_order_relaxed), cloud.settings->shown);
    return logs;
}

void Fleet::tell_purged() {
    if (telling_.exchange(true)) return;
    boost::asio::post(around_.control, [this] {
        telling_.store(false);
        around_.purged();
    });
}

std::vector<const redis::Statistics*> Fleet::statistics() const {
    std::vector<const redis::Statistics*> all;
    for (const auto& one : statistics_)
        all.push_back(one.get());
    return all;
}

}  // namespace scrollgate
