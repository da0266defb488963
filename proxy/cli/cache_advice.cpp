#include "proxy/cli/cache_advice.hpp"

#include <map>

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace scrollgate {
namespace {

namespace json = boost::json;

/// So much more of all look-ups answered is worth twice the memory.
constexpr double worth_it = 0.01;
/// And so little less is worth giving half of it back.
constexpr double not_missed = 0.002;

double number(const json::object& object, std::string_view key) {
    return object.at(key).to_number<double>();
}

std::string percent(double share) {
    return fmt::format("{:.1f}%", 100 * share);
}

std::string mebibytes(double bytes) {
    return fmt::format("{:.1f} MiB", bytes / (1024.0 * 1024.0));
}

/// The logs of other clouds' purges.
std::string log_lines(const json::array& logs) {
    std::string out;
    for (const json::value& each : logs) {
        const json::object& log = each.as_object();
        const json::value &behind = log.at("behind_s"), &age = log.at("position_age_s");
        out += fmt::format("  purge log {}: {}", std::string_view(log.at("url").as_string()),
                           std::string_view(log.at("state").as_string()));
        if (log.at("in_step").as_bool()) {
            out += ", in step";
        } else if (behind.is_null()) {
            out += ", not read yet";
        } else {
            out += fmt::format(", behind by {:.0f} s", behind.to_number<double>());
        }
        if (log.at("refuses").as_bool()) out += ", its server refuses (the log says what)";
        if (!log.at("followed").as_bool()) out += ", no node follows it (prefix, database?)";
        if (!age.is_null())
            out += fmt::format(", last purge {:.0f} s ago", age.to_number<double>());
        out += fmt::format(", {:.0f} heard, {:.0f} written, {:.0f} wait\n", number(log, "heard"),
                           number(log, "said"), number(log, "waiting"));
    }
    return out;
}

/// The tier behind the memory.
std::string tier_line(const json::object& tier) {
    const bool in_step = tier.at("in_step").as_bool();
    const json::object& latency = tier.at("latency_us").as_object();
    const double found = number(tier, "hits"), looked = found + number(tier, "misses");
    std::string out = fmt::format(
        "  redis {}: {}{}, {:.0f} nodes, {:.0f} hits of {:.0f}, {:.0f} written, {:.0f} dropped",
        std::string_view(tier.at("url").as_string()),
        std::string_view(tier.at("state").as_string()), in_step ? "" : ", not in step",
        number(tier, "nodes"), found, looked, number(tier, "writes"), number(tier, "dropped"));
    if (number(latency, "p50") > 0)
        out += fmt::format(", {:.0f} us, p99 {:.0f} us", number(latency, "p50"),
                           number(latency, "p99"));
    if (tier.at("log_refuses").as_bool())
        out += ", its log of purges is refused (the log says why)";
    if (const double waiting = number(tier, "purges_waiting"); waiting > 0)
        out += fmt::format(", {:.0f} purges wait to be written", waiting);
    return out + "\n" + log_lines(tier.at("purge_logs").as_array());
}

}  // namespace

std::string cache_advice(const json::object& cache) {
    std::map<double, double> hits;  // by times the memory
    for (const json::value& point : cache.at("miss_ratio_curve").as_array())
        hits[number(point.as_object(), "times")] = 1 - number(point.as_object(), "miss_ratio");
    if (!hits.contains(0.5) || !hits.contains(1) || !hits.contains(2) || !hits.contains(4))
        return {};
    const json::value* const limit = cache.if_contains("limited_by");
    const bool by_number = limit != nullptr && *limit == "max_entries";
    const char* const more = by_number ? "a larger max_entries" : "more memory";
    const std::string figures =
        fmt::format("hit rate {} with half {}, {} with this, {} with double, {} with four times",
                    percent(hits[0.5]), by_number ? "of it" : "the memory", percent(hits[1]),
                    percent(hits[2]), percent(hits[4]));
    const double gain = hits[2] - hits[1], later = hits[4] - hits[1];
    if (gain >= worth_it)
        return fmt::format("{} pays: {} more hits with double ({})", more, percent(gain), figures);
    if (later >= worth_it)
        return fmt::format("{} pays only from four times on: {} more hits ({})", more,
                           percent(later), figures);
    if (hits[1] - hits[0.5] <= not_missed)
        return fmt::format("{} does not pay, and half of it would do ({})", more, figures);
    return fmt::format("{} does not pay ({})", more, figures);
}

std::string cache_lines(const json::object& cache) {
    const double used = number(cache, "bytes"), capacity = number(cache, "capacity");
    const double asked = number(cache, "hits") + number(cache, "stale") + number(cache, "misses");
    const json::value* const tier = cache.if_contains("redis");
    const bool has_tier = tier != nullptr && tier->is_object();
    if (number(cache, "entries") == 0 && asked == 0 && !has_tier) return {};
    std::string out =
        fmt::format("cache: {:.0f} objects, {} of {} ({} of content)", number(cache, "entries"),
                    mebibytes(used), mebibytes(capacity), mebibytes(number(cache, "bytes_raw")));
    const json::value& rate = cache.at("hit_rate");
    if (!rate.is_null()) {
        out += fmt::format(", hit rate {}", percent(rate.to_number<double>()));
        const json::value& bytes = cache.at("byte_hit_rate");
        if (!bytes.is_null())
            out += fmt::format(" ({} by bytes)", percent(bytes.to_number<double>()));
    }
    const json::object& lookup = cache.at("lookup_us").as_object();
    if (!lookup.at("p50").is_null())
        out += fmt::format(", look-up {:.1f} us, p99 {:.1f} us", number(lookup, "p50"),
                           number(lookup, "p99"));
    out += fmt::format(
        "\n  {:.0f} stored, {:.0f} evicted, {:.0f} expired, {:.0f} purged, {:.0f} "
        "collapsed\n",
        number(cache, "writes"), number(cache, "evictions"), number(cache, "expirations"),
        number(cache, "purged"), number(cache, "collapsed"));
    if (has_tier) out += tier_line(tier->as_object());
    const std::string advice = cache_advice(cache);
    if (!advice.empty()) out += fmt::format("  {}\n", advice);
    return out;
}

}  // namespace scrollgate
