#include "proxy/admin/tier_status.hpp"

#include <algorithm>
#include <cmath>

#include "cache/tier/log_record.hpp"
#include "proxy/caching/fleet.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;

std::uint64_t get(const std::atomic<std::uint64_t>& counter) noexcept {
    return counter.load(std::memory_order_relaxed);
}

/// The upper bound of the bucket that holds the quantile, in microseconds.
double quantile(const redis::Statistics::Latency& buckets, double q) noexcept {
    std::uint64_t all = 0;
    for (const std::uint64_t one : buckets)
        all += one;
    if (all == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(all)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        seen += buckets[i];
        if (seen >= wanted) return std::ldexp(1.0, static_cast<int>(i));
    }
    return std::ldexp(1.0, static_cast<int>(buckets.size()));
}

const char* text_of(redis::State state) noexcept {
    switch (state) {
        case redis::State::up:
            return "up";
        case redis::State::open:
            return "open";
        default:
            return "connecting";
    }
}

void add_client(TierStatus& into, const redis::Statistics& from) {
    into.pending += get(from.pending);
    into.answered += get(from.answered);
    into.errors += get(from.errors);
    into.late += get(from.late);
    into.lost += get(from.lost);
    into.refused += get(from.refused);
    into.writes_held += get(from.writes_held);
    into.connects += get(from.connects);
    into.openings += get(from.openings);
    into.bytes_in += get(from.bytes_in);
    into.bytes_out += get(from.bytes_out);
    for (std::size_t i = 0; i < into.latency.size(); ++i)
        into.latency[i] += get(from.latency[i]);
    into.latency_us += get(from.latency_us);
}

/// The parts that are the same everywhere: what to call it, what it is.
struct Figure {
    const char* name;
    std::uint64_t TierStatus::*value;
};
constexpr Figure results[] = {
    {"hit", &TierStatus::hits},
    {"miss", &TierStatus::misses},
    {"marker", &TierStatus::markers},
    {"failure", &TierStatus::failures},
    {"away", &TierStatus::away},
    {"purged", &TierStatus::purged},
    {"foreign-key", &TierStatus::foreign_keys},
    {"unknown-age", &TierStatus::unknown_age},
    {"no-dictionary", &TierStatus::no_dictionary},
    {"no-room", &TierStatus::no_room},
};
constexpr Figure figures[] = {
    {"nodes", &TierStatus::nodes},
    {"hits", &TierStatus::hits},
    {"misses", &TierStatus::misses},
    {"markers", &TierStatus::markers},
    {"failures", &TierStatus::failures},
    {"away", &TierStatus::away},
    {"purged", &TierStatus::purged},
    {"foreign_keys", &TierStatus::foreign_keys},
    {"unknown_age", &TierStatus::unknown_age},
    {"no_dictionary", &TierStatus::no_dictionary},
    {"no_room", &TierStatus::no_room},
    {"bytes_read", &TierStatus::bytes_read},
    {"writes", &TierStatus::writes},
    {"bytes_written", &TierStatus::bytes_written},
    {"dropped", &TierStatus::dropped},
    {"too_large", &TierStatus::too_large},
    {"reclaimed", &TierStatus::reclaimed},
    {"leases", &TierStatus::leases},
    {"waits", &TierStatus::waits},
    {"waits_won", &TierStatus::waits_won},
    {"waits_told", &TierStatus::waits_told},
    {"log_unchecked", &TierStatus::log_unchecked},
    {"said", &TierStatus::said},
    {"heard", &TierStatus::heard},
    {"unsaid", &TierStatus::unsaid},
    {"pending", &TierStatus::pending},
    {"answered", &TierStatus::answered},
    {"errors", &TierStatus::errors},
    {"late", &TierStatus::late},
    {"lost", &TierStatus::lost},
    {"refused", &TierStatus::refused},
    {"writes_held", &TierStatus::writes_held},
    {"connects", &TierStatus::connects},
    {"openings", &TierStatus::openings},
    {"bytes_in", &TierStatus::bytes_in},
    {"bytes_out", &TierStatus::bytes_out},
};

void add_counts(TierStatus& into, const tier::Counts& from) {
    into.hits = get(from.hits);
    into.misses = get(from.misses);
    into.markers = get(from.markers);
    into.failures = get(from.failures);
    into.away = get(from.away);
    for (std::size_t i = 0; i < into.unreadable.size(); ++i)
        into.unreadable[i] = get(from.unreadable[i]);
    for (std::size_t i = 0; i < into.log_unreadable.size(); ++i)
        into.log_unreadable[i] = get(from.log_unreadable[i]);
    into.log_unchecked = get(from.log_unchecked);
    into.foreign_keys = get(from.foreign_keys);
    into.purged = get(from.purged);
    into.unknown_age = get(from.unknown_age);
    into.no_dictionary = get(from.no_dictionary);
    into.no_room = get(from.no_room);
    into.bytes_read = get(from.bytes_read);
    into.writes = get(from.writes);
    into.bytes_written = get(from.bytes_written);
    into.dropped = get(from.dropped);
    into.too_large = get(from.too_large);
    into.reclaimed = get(from.reclaimed);
    into.leases = get(from.leases);
    into.waits = get(from.waits);
    into.waits_won = get(from.waits_won);
    into.waits_told = get(from.waits_told);
    into.said = get(from.said);
    into.heard = get(from.heard);
    into.unsaid = get(from.unsaid);
}

PurgeLogStatus report_log(const OtherCloud& cloud, TimePoint now, WallTime wall) {
    PurgeLogStatus made;
    made.url = cloud.settings->shown;
    made.state = text_of(cloud.reading->state.load(std::memory_order_relaxed));
    made.writing = text_of(cloud.writing->state.load(std::memory_order_relaxed));
    const tier::RemoteState& state = *cloud.state;
    made.in_step = state.in_step(now);
    made.followed = state.followed.load(std::memory_order_relaxed);
    made.refuses = state.refuses.load(std::memory_order_relaxed);
    if (const std::int64_t at = state.read_at.load(std::memory_order_relaxed); at != 0)
        made.behind_s = std::max(0.0, seconds_of(now.time_since_epoch() - Duration(at)));
    if (const tier::Position last = state.position.load(std::memory_order_relaxed); last != 0) {
        made.position = tier::id_of(last);
        const auto since =
            wall.time_since_epoch() - std::chrono::milliseconds(tier::milliseconds_of(last));
        made.age_s = std::max(0.0, std::chrono::duration<double>(since).count());
    }
    made.said = get(state.said);
    made.heard = get(state.heard);
    made.waiting = state.waiting.load(std::memory_order_relaxed);
    return made;
}

json::array logs_json(const std::vector<PurgeLogStatus>& logs) {
    const auto seconds = [](double value) {
        return value < 0 ? json::value() : json::value(value);
    };
    json::array made;
    for (const PurgeLogStatus& one : logs)
        made.push_back({{"url", one.url},
                        {"state", one.state},
                        {"writing", one.writing},
                        {"in_step", one.in_step},
                        {"followed", one.followed},
                        {"refuses", one.refuses},
                        {"behind_s", seconds(one.behind_s)},
                        {"position", one.position},
                        {"position_age_s", seconds(one.age_s)},
                        {"said", one.said},
                        {"heard", one.heard},
                        {"waiting", one.waiting}});
    return made;
}

void write_logs(Exposition& page, const std::vector<PurgeLogStatus>& logs) {
    const auto each = [&](const auto& add) {
        for (const PurgeLogStatus& one : logs)
            add(one, Exposition::Labels{{"log", one.url}});
    };
    using Labels = Exposition::Labels;
    page.gauge("scrollgate_redis_purge_log_up",
               "1 while the connection that reads another cloud's log of purges answers.");
    each([&](const PurgeLogStatus& one, const Labels& log) {
        page.add(log, std::uint64_t{one.state == "up" ? 1U : 0U});
    });
    page.gauge("scrollgate_redis_purge_log_in_step",
               "1 while that log is read to its end; else purges of that cloud come late.");
    each([&](const PurgeLogStatus& one, const Labels& log) {
        page.add(log, std::uint64_t{one.in_step ? 1U : 0U});
    });
    page.gauge("scrollgate_redis_purge_log_followed",
               "0 while no node has ever followed that log: another prefix, or another database.");
    each([&](const PurgeLogStatus& one, const Labels& log) {
        page.add(log, std::uint64_t{one.followed ? 1U : 0U});
    });
    page.gauge("scrollgate_redis_purge_log_behind_seconds",
               "Since it was read to its end; half a second is usual. Not there until it was.");
    each([&](const PurgeLogStatus& one, const Labels& log) {
        if (one.behind_s >= 0) page.add(log, one.behind_s);
    });
    page.gauge("scrollgate_redis_purge_log_position_age_seconds",
               "Age of the last record that was read there.");
    each([&](const PurgeLogStatus& one, const Labels& log) {
        if (one.age_s >= 0) page.add(log, one.age_s);
    });
    page.gauge("scrollgate_redis_purge_log_waiting", "Purges that are to be written there.");
    each([&](const PurgeLogStatus& one, const Labels& log) { page.add(log, one.waiting); });
    page.counter("scrollgate_redis_purge_log_purges_total", "Purges for and of that cloud.");
    each([&](const PurgeLogStatus& one, const Labels& log) {
        page.add({log.front(), {"way", "said"}}, one.said);
        page.add({log.front(), {"way", "heard"}}, one.heard);
    });
}

void write_unreadable(Exposition& page,
                      const std::array<std::uint64_t, tier::unreadable_kinds>& counts) {
    for (std::size_t i = 1; i < counts.size(); ++i)
        page.add({{"why", std::string(tier::token(static_cast<tier::Unreadable>(i)))}}, counts[i]);
}

json::object unreadable_json(const std::array<std::uint64_t, tier::unreadable_kinds>& counts) {
    json::object made;
    for (std::size_t i = 1; i < counts.size(); ++i)
        made[tier::token(static_cast<tier::Unreadable>(i))] = counts[i];
    return made;
}

}  // namespace

TierStatus report_tier(const Fleet& fleet, TimePoint now, WallTime wall) {
    TierStatus made;
    made.url = fleet.shown();
    made.prefix = fleet.state().prefix;
    made.in_step = fleet.state().positions.in_step(now);
    made.log_refuses = fleet.state().log_refuses.load(std::memory_order_relaxed);
    made.purges_waiting = fleet.state().positions.own_under_way();
    made.listening = fleet.state().waits.listening();
    made.nodes = fleet.state().nodes.load(std::memory_order_relaxed);
    add_counts(made, fleet.state().counts);
    redis::State worst = redis::State::up;
    for (const redis::Statistics* const one : fleet.statistics()) {
        add_client(made, *one);
        const redis::State state = one->state.load(std::memory_order_relaxed);
        if (state == redis::State::open || worst == redis::State::up) worst = state;
    }
    made.state = text_of(worst);
    for (const OtherCloud& cloud : fleet.others())
        made.purge_logs.push_back(report_log(cloud, now, wall));
    made.p50_us = quantile(made.latency, 0.5);
    made.p99_us = quantile(made.latency, 0.99);
    return made;
}

json::object tier_json(const TierStatus& tier) {
    json::object made{{"url", tier.url},
                      {"state", tier.state},
                      {"in_step", tier.in_step},
                      {"log_refuses", tier.log_refuses},
                      {"purges_waiting", tier.purges_waiting},
                      {"listening", tier.listening}};
    for (const Figure& figure : figures)
        made[figure.name] = tier.*figure.value;
    made["unreadable"] = unreadable_json(tier.unreadable);
    made["log_unreadable"] = unreadable_json(tier.log_unreadable);
    made["purge_logs"] = logs_json(tier.purge_logs);
    made["latency_us"] = json::object{{"p50", tier.p50_us}, {"p99", tier.p99_us}};
    return made;
}

void write_tier(Exposition& page, const TierStatus& tier) {
    const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
        page.counter(name, help);
        page.add({}, value);
    };
    page.gauge("scrollgate_redis_up", "1 while every worker's connection to Redis answers.");
    page.add({}, std::uint64_t{tier.state == "up" ? 1U : 0U});
    page.gauge("scrollgate_redis_breaker_open", "1 while Redis is left alone.");
    page.add({}, std::uint64_t{tier.state == "open" ? 1U : 0U});
    page.gauge("scrollgate_redis_in_step",
               "1 while the fleet's purges are followed; else the tier is not used.");
    page.add({}, std::uint64_t{tier.in_step ? 1U : 0U});
    page.gauge(
        "scrollgate_redis_listening",
        "1 while those who wait for another node's fetch are told when it is over; else they "
        "look now and then.");
    page.add({}, std::uint64_t{tier.listening ? 1U : 0U});
    page.gauge("scrollgate_redis_nodes", "Nodes that share this Redis and live.");
    page.add({}, tier.nodes);
    page.counter(
        "scrollgate_redis_lookups_total",
        "What was found in the tier after a miss in memory; misses are what is not there.");
    for (const Figure& result : results)
        page.add({{"result", result.name}}, tier.*result.value);
    page.counter("scrollgate_redis_unreadable_total", "Values in Redis that were no responses.");
    write_unreadable(page, tier.unreadable);
    page.counter("scrollgate_redis_log_unreadable_total",
                 "Records of logs of purges that could not be read: each purged everything.");
    write_unreadable(page, tier.log_unreadable);
    counter("scrollgate_redis_log_unchecked_total",
            "Records of logs of purges without a check, of older releases.", tier.log_unchecked);
    counter("scrollgate_redis_writes_total", "Values that were written.", tier.writes);
    counter("scrollgate_redis_writes_dropped_total", "Values that were not: nobody to take them.",
            tier.dropped);
    counter("scrollgate_redis_too_large_total", "Responses beyond redis.max_object.",
            tier.too_large);
    page.counter("scrollgate_redis_value_bytes_total", "Bytes of values.");
    page.add({{"way", "read"}}, tier.bytes_read);
    page.add({{"way", "written"}}, tier.bytes_written);
    page.counter("scrollgate_redis_errors_total", "Commands without an answer that is of use.");
    page.add({{"kind", "error"}}, tier.errors);
    page.add({{"kind", "late"}}, tier.late);
    page.add({{"kind", "lost"}}, tier.lost);
    page.add({{"kind", "refused"}}, tier.refused);
    page.add({{"kind", "held"}}, tier.writes_held);
    counter("scrollgate_redis_breaker_openings_total",
            "How often Redis was left alone, for whatever reason.", tier.openings);
    counter("scrollgate_redis_reclaimed_total", "Responses removed from Redis after a purge.",
            tier.reclaimed);
    page.counter("scrollgate_redis_purges_total", "Purges of the fleet.");
    page.add({{"way", "said"}}, tier.said);
    page.add({{"way", "heard"}}, tier.heard);
    page.add({{"way", "unsaid"}}, tier.unsaid);
    write_logs(page, tier.purge_logs);
    page.counter("scrollgate_redis_leases_total", "Who asks the origin for a cold key.");
    page.add({{"as", "holder"}}, tier.leases);
    page.add({{"as", "waiting"}}, tier.waits);
    page.add({{"as", "answered"}}, tier.waits_won);
    page.add({{"as", "told"}}, tier.waits_told);
    page.histogram("scrollgate_redis_duration_seconds", "Time until Redis answers, if in time.");
    std::array<double, redis::Statistics::buckets - 1> bounds{};
    for (std::size_t i = 0; i < bounds.size(); ++i)
        bounds[i] = std::ldexp(1e-6, static_cast<int>(i));
    page.add({}, bounds, tier.latency, static_cast<double>(tier.latency_us) / 1e6);
}

}  // namespace scrollgate
