// How a pool's endpoints are watched and how many of them serve: active checks, ejection, capacity.
#include <algorithm>
#include <charconv>

#include "config/sections/tables.hpp"
#include "config/url.hpp"

namespace scrollgate::config {
namespace {

using namespace std::chrono_literals;
using Ranges = std::vector<HealthCheck::StatusRange>;

constexpr std::size_t most_ranges = 32;
constexpr std::size_t longest_match = 4 * limits::KiB;
constexpr std::size_t longest_service = 256;
constexpr double most_in_flight = 1'000'000;

/// "200", "200-299"
Parsed<HealthCheck::StatusRange> parse_range(std::string_view text) {
    const auto code = [](std::string_view digits) {
        std::uint16_t value = 0;
        const auto [stop, failure] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        const bool whole = failure == std::errc{} && stop == digits.data() + digits.size();
        return whole && digits.size() == 3 ? value : std::uint16_t{0};
    };
    const std::size_t dash = text.find('-');
    const std::uint16_t first = code(text.substr(0, dash));
    const std::uint16_t last = dash == text.npos ? first : code(text.substr(dash + 1));
    if (first < 200 || last < 200 || first > 599 || last > 599)
        return refuse<HealthCheck::StatusRange>(fmt::format(
            "{} is no final status or range of them; write for example 200-299", quoted(text)));
    if (first > last)
        return refuse<HealthCheck::StatusRange>(
            fmt::format("{} is upside down; write {}-{}", quoted(text), last, first));
    return {HealthCheck::StatusRange{first, last}, {}};
}

void read_ranges(Reader& reader, const Value& value, Ranges& into) {
    const auto given = reader.scalar(value, "200-299");
    if (!given) return;
    std::string_view rest = *given;
    while (true) {
        const std::size_t comma = rest.find(',');
        std::string_view one = rest.substr(0, comma);
        while (one.starts_with(' '))
            one.remove_prefix(1);
        while (one.ends_with(' '))
            one.remove_suffix(1);
        const auto parsed = parse_range(one);
        if (!parsed.value) return reader.error(value, parsed.wrong);
        into.push_back(*parsed.value);
        if (comma == rest.npos) return;
        rest.remove_prefix(comma + 1);
    }
}

/// "200-299", "200,204,300-399", or a list of such.
Codec<Ranges> statuses() {
    Codec<Ranges> codec;
    codec.type = "statuses";
    codec.range = "200-599";
    codec.read = [](Reader& reader, const Value& value, Ranges& into) {
        Ranges made;
        if (!value.is_sequence()) read_ranges(reader, value, made);
        for (std::size_t i = 0; i < value.items.size(); ++i) {
            const Reader::Step at = reader.index(i, *value.items[i]);
            read_ranges(reader, *value.items[i], made);
        }
        if (value.is_sequence() && value.items.empty())
            return reader.error(value, "nothing would pass; write for example 200-299");
        if (made.size() > most_ranges)
            return reader.error(value, fmt::format("more than {} ranges", most_ranges));
        if (!made.empty()) into = std::move(made);
    };
    codec.write = [](const Ranges& ranges) {
        std::string out;
        for (const auto& [first, last] : ranges) {
            if (!out.empty()) out += ',';
            out += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
        }
        return make_scalar(std::move(out));
    };
    return codec;
}

std::string wrong_body(const std::string& text) {
    if (text.size() > longest_match) return fmt::format("longer than {}", size_text(longest_match));
    return {};
}

std::string wrong_service(const std::string& name) {
    if (name.size() > longest_service) return fmt::format("longer than {} bytes", longest_service);
    return {};
}

/// Said only where there is an answer to look at.
Key<HealthCheck> expect_key() {
    auto made = key("expect", &HealthCheck::expect, statuses(),
                    "statuses that pass: 200-299, or 200,204,300-399, or a list");
    made.write = [write = made.write](const HealthCheck& check) {
        return check.path.empty() ? nullptr : write(check);
    };
    return made;
}

const Table<HealthCheck>& health_check_table() {
    static const Table<HealthCheck> table = {
        key("path", &HealthCheck::path, unless_empty(text("path", "/healthz", wrong_target)),
            "what is asked for with GET; may hold a query", "none"),
        key("grpc", &HealthCheck::grpc, optional(text("text", "shop.Cart", wrong_service)),
            "instead of path: this service, by grpc.health.v1, is SERVING; empty: the server is",
            "none"),
        key("tcp", &HealthCheck::tcp, on_off(),
            "instead of path: a connection that is accepted passes; nothing is sent"),
        key("interval", &HealthCheck::interval,
            duration(limits::check_interval_min, 1h, None::refused),
            "from one check to the next, jittered; after a first failure it comes at once"),
        key("timeout", &HealthCheck::timeout,
            duration(limits::check_interval_min, 1h, None::refused),
            "from the connect to the answer"),
        key("healthy_after", &HealthCheck::healthy_after, count<std::uint32_t>(1, 100),
            "passes in a row that bring an endpoint back"),
        key("unhealthy_after", &HealthCheck::unhealthy_after, count<std::uint32_t>(1, 100),
            "failures in a row that take it out"),
        expect_key(),
        key("body", &HealthCheck::body, unless_empty(text("text", "ok", wrong_body)),
            "must occur in the answer's first 64KiB", "anything"),
        key("port", &HealthCheck::port,
            count<std::uint16_t>(1, 65535, {{"endpoint", std::uint16_t{0}}}),
            "where checks connect; endpoint: the endpoint's own port"),
    };
    return table;
}

const Table<Outlier>& outlier_table() {
    static const Table<Outlier> table = {
        key("consecutive", &Outlier::consecutive, count<std::uint32_t>(1, 1000),
            "answers from 500 on in a row, more than chance explains by those of others: the "
            "fewest that eject"),
        key("max_ejected", &Outlier::max_ejected, percent(1),
            "share of the pool, while no other pool of the route is well; never holds for "
            "refusal, silence and failed checks"),
        key("ejection", &Outlier::ejection,
            duration(100ms, limits::outlier_ejection_max, None::refused),
            "how long the first ejection lasts; each one after it lasts longer"),
    };
    return table;
}

const Table<AutoScale>& auto_table() {
    static const Table<AutoScale> table = {
        required(key("target_in_flight", &AutoScale::target_in_flight, amount(most_in_flight),
                     "requests under way per active endpoint that are wanted")),
        key("forecast", &AutoScale::forecast, duration(0s, 1h, None::refused),
            "how far ahead the trend is looked at"),
        key("min_active", &AutoScale::min_active, count<std::uint32_t>(1, limits::scale_most),
            "never fewer active endpoints"),
        key("max_active", &AutoScale::max_active, count<std::uint32_t>(1, limits::scale_most),
            "never more"),
        key("shrink_after", &AutoScale::shrink_after, duration(1s, 24h, None::refused),
            "how long too much must have been active before one rests"),
    };
    return table;
}

/// `outlier: off` keeps its place in the model: it is a switch, not an absence.
Codec<Outlier> outlier() {
    Codec<Outlier> codec = section(outlier_table(), "{ consecutive: 3 }");
    codec.type = "section or off";
    codec.read = [read = codec.read](Reader& reader, const Value& value, Outlier& into) {
        const Switch given = off_or_keys(reader, value, "{ consecutive: 3 }");
        if (given == Switch::off) into.enabled = false;
        if (given == Switch::keys) read(reader, value, into);
    };
    codec.write = [write = codec.write](const Outlier& from) {
        return from.enabled ? write(from) : make_scalar("off");
    };
    return codec;
}

}  // namespace

std::vector<Key<Pool>> health_keys() {
    return {
        key("health_check", &Pool::health_check,
            section_or_off(health_check_table(), "{ path: /healthz }"),
            "active checks: path, grpc, or tcp: true"),
        key("outlier", &Pool::outlier, outlier(), "ejection by what live traffic shows"),
        key("slow_start", &Pool::slow_start, duration_or_off(0s, 1h, Duration::zero()),
            "an endpoint that comes back or joins takes this long to its full share"),
        key("depends_on", &Pool::depends_on, dependencies(),
            "what this cloud needs: tcp://host:port, http[s]://host[:port][/path], "
            "redis[s]://host[:port]; lowers preference, empties no pool",
            "[]"),
        key("auto", &Pool::auto_scale, section_or_off(auto_table(), "{ target_in_flight: 8 }"),
            "standbys join and rest by themselves"),
        key("webhook", &Pool::webhook, webhook(),
            "who is told (POST, JSON) the capacity that is wanted and why"),
        key("subset", &Pool::subset, count<std::uint32_t>(0, limits::scale_most, {{"off", 0}}),
            "for very large pools: how many endpoints one node uses while they serve, chosen "
            "whatever their weights; a sticky cookie leads to all"),
    };
}

}  // namespace scrollgate::config
