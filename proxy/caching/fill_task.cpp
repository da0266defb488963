#include "proxy/caching/fill_task.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cache/rules/conditional.hpp"
#include "cache/rules/reuse.hpp"
#include "cache/rules/vary.hpp"
#include "cache/tier/tier.hpp"
#include "core/field_copy.hpp"
#include "core/http1/head_parser.hpp"
#include "core/limits.hpp"
#include "proxy/caching/lookup.hpp"
#include "proxy/pipeline/failover.hpp"
#include "proxy/pipeline/guard.hpp"
#include "proxy/pipeline/pipeline.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

std::string_view copied(Arena& arena, std::string_view text) {
    return arena.join({text});
}

/// For a URL that no client has asked for: one without an address, so that origins are told none.
Client nobody(const Worker& worker, const FillOrder& order) {
    Client client;
    client.peer = *SocketAddress::from_ip("127.0.0.1", 0);
    if (order.scheme == "https") client.scheme = "https";
    client.listener = order.listener;
    const config::Config& config = *worker.snapshot().shared->config;
    if (client.listener.empty()) client.listener = config.listeners.front().name;
    return client;
}

/// What was found, unless a purge has come since: the fill counts from its own, later position.
EntryRef known_to_fill(const Exchange& x) {
    const bool purged = x.worker.cache().store.overtaken(x.cache.key.text, x.cache.position);
    return purged ? EntryRef() : x.cache.entry;
}

/// start_fills(); owns itself.
class FillsByCoding {
  public:
    FillsByCoding(Worker& worker, const FillOrder& order, FillDone done)
        : worker_(worker), order_(order), done_(std::move(done)) {}
    void start() {
        start_fill(worker_, order_, [this](const FillEnd& end) { ended(end); });
    }

  private:
    // In the form that keys have. All browsers of today are among the first two.
    static constexpr std::array codings{"br, gzip, zstd", "br, gzip", "gzip"};

    void ended(const FillEnd& end) {
        const bool well = end.outcome == "ok" && end.reason == CacheReason::none;
        if (next_ == 0 || !well) told_ = end;
        told_.asked = static_cast<unsigned>(next_ + 1);
        if (well && end.by_coding && next_ < codings.size()) {
            order_.coding = codings[next_++];
            return start();
        }
        done_(told_);
        delete this;
    }

    Worker& worker_;
    FillOrder order_;
    FillDone done_;
    FillEnd told_;
    std::size_t next_ = 0;
};

bool is_live_by_hand(const CacheEntry& entry, TimePoint now) noexcept {
    return entry.by_hand() && !entry.softly_purged() && entry.freshness().ttl(now) > 0;
}

}  // namespace

LeadersShareRef lead_fill(Exchange& x, FillRef fill, bool asks_tier, bool alone) {
    LeadersShareRef share(new LeadersShare);
    auto* const task = new FillTask(x.worker, x.snapshot, *x.client);
    task->copy_request(x);
    const auto asks = alone ? FillTask::AskTier::look : FillTask::AskTier::yes_and_wait;
    task->ask_tier(asks_tier ? asks : FillTask::AskTier::no);
    task->start(std::move(fill), known_to_fill(x), x.cache.reuse.if_error, share, nullptr);
    return share;
}

void refresh_behind(Exchange& x) {
    FillTable& fills = x.worker.cache().fills;
    FillTable::Joined joined = fills.join_or_lead(x.cache.key, x.request.fields,
                                                  {.known = x.cache.entry.get(),
                                                   .route = x.route->cache,
                                                   .variant = x.cache.entry->vary(),
                                                   .closed = asks_for_itself(x),
                                                   .joins_closed = true});
    if (!joined.leads || !joined.fill) return;
    x.cache.refreshes = true;
    auto* const task = new FillTask(x.worker, x.snapshot, *x.client);
    task->copy_request(x);
    // Another node may have refreshed it, or be about to.
    task->ask_tier(FillTask::AskTier::yes);
    task->start(std::move(joined.fill), known_to_fill(x), true, nullptr, nullptr);
}

void start_fill(Worker& worker, const FillOrder& order, FillDone done) {
    auto task = std::make_unique<FillTask>(worker, worker.snapshot_ref(), nobody(worker, order));
    const Result<void> made = task->make_request(order);
    if (!made) return done({made.error().reason(), CacheReason::none, 0, 0});
    Exchange& x = task->exchange();
    look_up(x);
    if (x.cache.entry && is_live_by_hand(*x.cache.entry, worker.loop().now())) {
        return done({"ok", CacheReason::none, 0, 0});
    }
    FillTable& fills = worker.cache().fills;
    const std::string variant = expected_variant(x);
    FillTable::Joined joined = fills.join_or_lead(
        x.cache.key, x.request.fields,
        {.known = x.cache.entry.get(), .route = x.route->cache, .variant = variant});
    // A client's may turn out to be for that one alone, and nobody waits here to find out.
    if (joined.fill && !joined.leads) joined.fill = fills.lead(x.cache.key, variant);
    if (!joined.fill && !joined.entry) {
        return done({facts(ErrorKind::overloaded).reason, CacheReason::too_many_fills, 0, 0});
    }
    if (joined.entry) return done({"ok", CacheReason::none, 0, 0});
    EntryRef known = known_to_fill(x);
    // What is fresh is to be validated, not to be found again.
    if (!known || known->freshness().ttl(worker.loop().now()) <= 0) {
        task->ask_tier(FillTask::AskTier::yes_and_wait);
    }
    task.release()->start(std::move(joined.fill), std::move(known), true, nullptr, std::move(done));
}

void start_fills(Worker& worker, const FillOrder& order, FillDone done) {
    (new FillsByCoding(worker, order, std::move(done)))->start();
}

FillTask::FillTask(Worker& worker, WorkerSnapshotRef snapshot, const Client& client)
    : client_(client), x_(worker), gate_(worker.loop()) {
    x_.snapshot = std::move(snapshot);
    x_.client = &client_;
    x_.body = &body_;
    x_.sink = &sink_;
    x_.record.kind = ExchangeRecord::Kind::fill;
    x_.record.started = worker.loop().now();
}

void FillTask::copy_request(const Exchange& x) {
    Arena& arena = x_.arena;
    const RequestHead& from = x.request;
    RequestHead& request = x_.request;
    request.version = from.version;
    request.method = Method::get;
    request.method_text = "GET";
    request.target = copied(arena, from.target);
    request.authority = copied(arena, from.authority);
    request.path = copied(arena, from.path);
    request.query = copied(arena, from.query);
    request.has_query = from.has_query;
    for (const HeaderField& field : from.fields)
        copy_field(field, arena, request.fields);
    x_.target = copied(arena, x.cache.target);
    x_.route = x.route;
    ExchangeRecord& record = x_.record;
    record.route = x.record.route;
    record.route_name = x.record.route_name;
    record.client = copied(arena, x.record.client);
    record.request_id = copied(arena, x.record.request_id);
    record.method = request.method_text;
    record.host = request.authority;
    record.path = x_.target;
    record.version = request.version;
}

Result<void> FillTask::make_request(const FillOrder& order) {
    const std::string_view coding = order.coding.empty()
                                        ? std::string_view()
                                        : x_.arena.join({"\r\nAccept-Encoding: ", order.coding});
    const std::string_view text = x_.arena.join(
        {"GET ", order.target, " HTTP/1.1\r\nHost: ", order.authority, coding, "\r\n\r\n"});
    std::size_t scanned = 0;
    const http1::ParseResult parsed =
        http1::parse_request_head(text, x_.snapshot->shared->head_limits, scanned, x_.request);
    if (parsed.status == http1::ParseResult::Status::failed) return Error{parsed.error};
    if (parsed.status != http1::ParseResult::Status::complete || parsed.consumed != text.size()) {
        return Error{ErrorKind::bad_request};
    }
    identify(x_);
    const Result<std::string_view> path = guard(x_);
    if (!path) return path.error();
    if (const std::optional<Error> error = find_route(x_, *path)) return *error;
    if (x_.route->cache == nullptr) return Error{ErrorKind::no_route};
    if (const std::optional<Error> error = prepare_target(x_, *path)) return *error;
    if (find_key(x_) != CacheReason::none) return Error{ErrorKind::bad_request};
    if (is_bare(x_)) return Error{ErrorKind::no_route};  // set by hand: there is no origin
    x_.target = x_.cache.target;
    return {};
}

void FillTask::start(FillRef fill, EntryRef known, bool keeps, LeadersShareRef share,
                     FillDone done) {
    Worker& worker = x_.worker;
    x_.until = after(x_.record.started, x_.route->request);
    fill_ = std::move(fill);
    fill_->begin(worker.loop());
    done_ = std::move(done);
    worker.fill_began(*this);
    if (worker.tier() == nullptr) asks_tier_ = AskTier::no;
    if (asks_tier_ != AskTier::no) known_ = known;
    sink_.start(x_, fill_, known, keeps, std::move(share), [this] { tell_fleet_unshared(); });
    make_unconditional(x_.request.fields);
    x_.request.fields.remove(Field::expect);
    if (known && known->freshness().has_validator) {
        HeaderList stored;
        known->fields(stored);
        make_validating(x_.request.fields, stored);
    }
    prepare_for_fill(x_);
    detach(run());
}

Task<void> FillTask::run() {
    bool found = false;
    if (asks_tier_ != AskTier::no) found = co_await find_in_tier();
    known_.reset();
    // Now, before the origin is asked: what is purged from here on holds for what it says.
    if (x_.worker.tier() != nullptr) position_ = x_.worker.tier()->position();
    if (found) {
        end_found();
    } else if (x_.cancelled) {
        const Result<void> nothing(Error{*x_.cancelled});
        end(nothing);
    } else {
        const Result<void> forwarded = co_await forward(x_);
        end(forwarded);
    }
    delete this;
}

/// True: the fill is over, and no origin is to be asked.
Task<bool> FillTask::find_in_tier() {
    tier::Tier& tier = *x_.worker.tier();
    if (!tier.asks()) co_return false;
    // One for all that a look costs: a Redis that is slow costs a miss no more.
    const EventLoop& loop = x_.worker.loop();
    const TimePoint asked = loop.now(), by = tier.deadline();
    const tier::TierFound found =
        co_await tier.find(fill_->key(), x_.request.fields, known_.get(), by);
    if (ends_with(found)) co_return true;
    if (asks_tier_ == AskTier::look || !found.answered) co_return false;
    // No time for a second answer that takes as long: the origin would wait for nothing.
    const TimePoint now = loop.now();
    if (by - now < now - asked) co_return false;
    Task<bool> led = lead_the_fleet(by);
    co_return co_await led;
}

/// Takes the lease to ask the origin, or waits a moment for what its holder brings. The first try
/// is over at `by`. True: as above.
Task<bool> FillTask::lead_the_fleet(TimePoint by) {
    using LeaseIs = tier::Tier::Lease;
    tier::Tier& tier = *x_.worker.tier();
    EventLoop& loop = x_.worker.loop();
    const TimePoint until = loop.now() + limits::tier_wait;
    Duration span = limits::tier_look;
    std::optional<tier::LeaseWait> wait;
    for (bool first = true; tier.asks() && !x_.cancelled; first = false) {
        gate_.reset();
        const std::uint64_t token = loop.rng().next() | 1;
        const tier::Tier::Leased leased =
            co_await tier.take_lease(fill_->key(), fill_->variant(), x_.request.fields,
                                     known_.get(), token, wait.has_value(), by);
        // Without an answer it may be ours all the same, and would stand in everybody's way.
        if (leased.lease != LeaseIs::others) lease_ = token;
        leads_fleet_ = leased.lease == LeaseIs::ours;
        if (ends_with(leased.found)) {
            if (!first) tier::Counts::add(tier.state().counts.waits_won);
            co_return true;
        }
        if (leased.lease != LeaseIs::others || x_.cancelled) co_return false;
        // Another node refreshes it, and nobody waits here.
        if (asks_tier_ == AskTier::yes && fill_->waiting() == 0) {
            fill_->fail(Error{ErrorKind::cancelled});
            co_return true;
        }
        if (loop.now() >= until) co_return false;
        if (first) {
            // From now on nothing escapes it: looks again at once, and asks to be told.
            tier::Counts::add(tier.state().counts.waits);
            wait.emplace(tier.state().waits, loop,
                         tier.lease_digest(fill_->key(), fill_->variant()),
                         [this] { gate_.open(); });
        } else {
            gate_.limit(loop.now() + (wait->is_told() ? Duration(limits::tier_look_told) : span));
            static_cast<void>(co_await gate_.passed());
            span = std::min<Duration>(span * 2, 5 * limits::tier_look);
        }
        by = tier.deadline();
    }
    co_return false;
}

bool FillTask::ends_with(const tier::TierFound& found) {
    if (x_.cancelled || found.kind == tier::TierFound::Kind::nothing) return false;
    if (found.entry && !is_for_route(*found.entry, *x_.route->cache)) return false;
    fill_->found(found.entry);
    return true;
}

/// No origin was asked: nothing to observe but what the readers do with it.
void FillTask::end_found() {
    x_.worker.cache().fills.leave(*fill_);
    return_lease();
    if (!done_) return;
    const EntryRef entry = fill_->entry();
    if (!entry || entry->is_marker()) return done_({"ok", CacheReason::hit_for_miss, 0, 0});
    const bool by_coding = varies_by(entry->vary(), "accept-encoding");
    done_({"ok", CacheReason::none, entry->status(), entry->body().size(), by_coding});
}

/// What was stored in memory may be in the tier, and nothing else.
void FillTask::write_to_tier() {
    tier::Tier* const tier = x_.worker.tier();
    if (tier == nullptr) return;
    const EntryRef entry = fill_->entry();
    // Who waits for the lease gives up after that long, and asks the origin as well.
    const TimePoint now = x_.worker.loop().now();
    const bool alone = leads_fleet_ && now - x_.record.started < limits::tier_wait;
    if (entry) tier->put(*entry, position_, alone);
    return_lease();
}

/// At once: other nodes wait for something that will not be there.
void FillTask::tell_fleet_unshared() {
    tier::Tier* const tier = x_.worker.tier();
    if (tier == nullptr) return;
    if (sink_.remembered()) tier->put_marker(fill_->key(), position_);
    return_lease();
}

void FillTask::return_lease() {
    if (lease_ == 0) return;
    x_.worker.tier()->return_lease(fill_->key(), fill_->variant(), std::exchange(lease_, 0));
}

void FillTask::end(const Result<void>& forwarded) {
    if (!fill_->over()) {
        fill_->fail(forwarded ? Error{ErrorKind::upstream_truncated} : forwarded.error());
    }
    x_.worker.cache().fills.leave(*fill_);
    write_to_tier();
    if (!forwarded) x_.record.outcome = forwarded.error().reason();
    x_.worker.observe(x_);
    if (!done_) return;
    const EntryRef entry = fill_->entry();
    const bool by_coding = entry && varies_by(entry->vary(), "accept-encoding");
    done_({x_.record.outcome, sink_.reason(), x_.record.status, x_.record.bytes_out, by_coding});
}

void FillTask::abandon() noexcept {
    x_.cancel(ErrorKind::shutting_down);
    gate_.shut();
    fill_->give_up();
}

}  // namespace scrollgate
