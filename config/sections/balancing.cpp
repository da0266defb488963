// How a route picks among its pools and endpoints, and what follows a failed attempt.
#include <array>

#include "config/sections/tables.hpp"

namespace scrollgate::config {
namespace {

using namespace std::chrono_literals;

/// `split` is an exact share, or nothing.
Codec<std::optional<double>> split() {
    const Codec<double> share = percent(1);
    Codec<std::optional<double>> codec;
    codec.type = "percentage or none";
    codec.range = share.range;
    codec.read = [read = share.read](Reader& reader, const Value& value,
                                     std::optional<double>& into) {
        const bool plain = value.is_scalar() && value.tag.empty();
        if (plain && (value.text == "none" || value.text == "off")) return into.reset();
        double given = 0;
        const std::size_t problems = reader.problems().size();
        read(reader, value, given);
        if (reader.problems().size() == problems) into = given;
    };
    codec.write = [write = share.write](const std::optional<double>& value) {
        return value ? write(*value) : make_scalar("none");
    };
    return codec;
}

const Table<RoutePool>& route_pool_table() {
    static const Table<RoutePool> table = {
        required(key("name", &RoutePool::name, text("name", "aws"), "a pool")),
        key("weight", &RoutePool::weight, count<std::uint32_t>(1, 1000),
            "capacity relative to the route's other pools of the same priority"),
        key("priority", &RoutePool::priority, count<std::uint32_t>(0, 100),
            "0 is used first; higher ones take what the lower cannot carry"),
        key("split", &RoutePool::split, split(),
            "exact share of the requests of this priority; the rest is shared by weight"),
    };
    return table;
}

Codec<bool> hedge() {
    return choice<bool>({{"auto", true}, {"off", false}});
}

/// What may be worth another try; the rest is about the call itself.
Codec<grpc::Status> grpc_status() {
    std::vector<std::pair<std::string, grpc::Status>> words;
    for (const grpc::Status status :
         {grpc::Status::unavailable, grpc::Status::resource_exhausted, grpc::Status::aborted,
          grpc::Status::deadline_exceeded, grpc::Status::internal, grpc::Status::unknown,
          grpc::Status::cancelled})
        words.emplace_back(grpc::name(status), status);
    return choice(std::move(words));
}

const Table<Failover>& failover_table() {
    static const Table<Failover> table = {
        key("max_attempts", &Failover::max_attempts,
            count<std::uint32_t>(1, limits::max_attempts_max),
            "attempts for one request, the first included; refused connects do not count"),
        key("retry_on", &Failover::retry_on,
            list(
                [] {
                    Codec<std::uint16_t> code = count<std::uint16_t>(400, 599);
                    code.type = "statuses";
                    return code;
                }(),
                "[ 502, 503 ]"),
            "answers that are asked for elsewhere, if the request can be repeated", "[502, 503]"),
        key("retry_grpc", &Failover::retry_grpc, list(grpc_status(), "[ unavailable ]"),
            "gRPC calls that end so at once, without a message, are asked for elsewhere, although "
            "they are POST; that counts against the endpoint",
            "[]"),
        key("budget", &Failover::budget, percent(0),
            "retries per request, saved up to a burst of 100; 10 per second are always there"),
        key("hedge", &Failover::hedge, hedge(),
            "auto: a safe request that takes unusually long is also sent elsewhere"),
        key("replay", &Failover::replay, size_or_off(limits::replay_max),
            "longest request body that is kept for a repetition"),
        key("idempotency_key", &Failover::idempotency_key, on_or_off(),
            "a request with Idempotency-Key may be repeated whatever its method"),
        key("connect_race", &Failover::connect_race, duration_or_off(1ms, 10s, no_limit),
            "a connect that takes longer races with one elsewhere; no byte is sent before; earlier "
            "after 4 times the longest of an endpoint's first connects, from the 20th on after its "
            "own p99 instead, 10ms to 1s"),
    };
    return table;
}

struct NamedSource {
    std::string_view key;
    HashKey::Source source;
    std::string (*wrong)(const std::string&);
};

std::string wrong_cookie_name(const std::string& name) {
    if (is_token(name) && name.size() <= 256) return {};
    return fmt::format("{} is not a cookie's name; use letters, digits, - _ .", quoted(name));
}

constexpr std::array named_sources = {
    NamedSource{"header", HashKey::Source::header, wrong_request_field},
    NamedSource{"cookie", HashKey::Source::cookie, wrong_cookie_name},
    NamedSource{"query", HashKey::Source::query, wrong_query_name},
};

/// `{ header: X-User }` and its kin: what is hashed, and its name.
Key<HashKey> hash_source(const NamedSource& source, std::string doc) {
    const Codec<std::string> codec = text("name", "X-User", source.wrong);
    Key<HashKey> made;
    made.info.name = source.key;
    made.info.type = "name";
    made.info.doc = std::move(doc);
    made.read = [read = codec.read, as = source.source](Reader& reader, const Value& value,
                                                        HashKey& into) {
        into.source = as;
        read(reader, value, into.name);
    };
    made.write = [as = source.source](const HashKey& from) {
        return from.source == as ? text_value(from.name) : nullptr;
    };
    return made;
}

const Table<HashKey>& hash_table() {
    static const Table<HashKey> table = {
        hash_source(named_sources[0], "by this field of the request"),
        hash_source(named_sources[1], "by this cookie"),
        hash_source(named_sources[2], "by this query parameter"),
    };
    return table;
}

void read_hash(Reader& reader, const Value& value, HashKey& into) {
    constexpr std::string_view forms =
        "client, path, { header: X-User }, { cookie: id } or "
        "{ query: user }";
    if (!value.is_scalar()) {
        if (!reader.is_section(value, "{ header: X-User }")) return;
        if (value.entries.size() != 1)
            return reader.error(value, fmt::format("one thing is hashed; write {}", forms));
        return read_table(reader, hash_table(), value, into);
    }
    const auto given = reader.scalar(value, "client");
    if (!given) return;
    if (*given == "client" || *given == "path") {
        into = {*given == "client" ? HashKey::Source::client : HashKey::Source::path, ""};
        return;
    }
    for (const NamedSource& source : named_sources)
        if (*given == source.key)
            return reader.error(value,
                                fmt::format("{0} needs a name; write for example {{ {0}: "
                                            "{1} }}",
                                            source.key, *given == "header" ? "X-User" : "user"));
    reader.error(
        value, fmt::format("unknown value {}; use {}{}", quoted(*given), forms,
                           did_you_mean(*given, {"client", "path", "header", "cookie", "query"})));
}

const Table<Sticky>& sticky_table() {
    static const Table<Sticky> table = {
        key("cookie", &Sticky::cookie, text("name", "scrollgate", wrong_cookie_name),
            "the cookie's name"),
        key("ttl", &Sticky::ttl, duration(1s, 365 * 24h, None::allowed),
            "its Max-Age; none: until the browser ends"),
        key("secure", &Sticky::secure,
            choice<Sticky::Secure>({{"auto", Sticky::Secure::automatic},
                                    {"on", Sticky::Secure::on},
                                    {"off", Sticky::Secure::off}}),
            "browsers send it over https alone; auto: if the client speaks https, by a trusted "
            "proxy's word if there is one in front"),
    };
    return table;
}

}  // namespace

Codec<std::vector<RoutePool>> route_pools() {
    // A pool of a route is a name, or a map with a name and more.
    Codec<RoutePool> codec = section(route_pool_table(), "aws");
    codec.type = "names or maps";
    codec.read = [whole = codec.read](Reader& reader, const Value& value, RoutePool& into) {
        if (value.is_map())
            whole(reader, value, into);
        else if (const auto given = reader.scalar(value, "aws"))
            into.name = *given;
    };
    return list(codec, "[ aws, gcp ]");
}

Codec<Failover> failover() {
    return section(failover_table(), "{ max_attempts: 3 }");
}

Codec<HashKey> hash() {
    Codec<HashKey> codec;
    codec.type = "client | path | section";
    codec.children = infos(hash_table());
    codec.read = read_hash;
    codec.write = [](const HashKey& from) {
        if (from.source == HashKey::Source::client) return make_scalar("client");
        if (from.source == HashKey::Source::path) return make_scalar("path");
        return write_table(hash_table(), from);
    };
    return codec;
}

Codec<std::optional<Sticky>> sticky() {
    return section_or_off(sticky_table(), "{ cookie: scrollgate, ttl: 1h }");
}

Codec<Route::Balance> balance() {
    using Balance = Route::Balance;
    return choice<Balance>({{"adaptive", Balance::adaptive},
                            {"round_robin", Balance::round_robin},
                            {"least_requests", Balance::least_requests},
                            {"random", Balance::random},
                            {"consistent_hash", Balance::consistent_hash}});
}

Codec<Route::Nearness> nearness() {
    using Nearness = Route::Nearness;
    return choice<Nearness>(
        {{"off", Nearness::off}, {"tie", Nearness::tie}, {"strict", Nearness::strict}});
}

Codec<bool> on_or_off() {
    Codec<bool> codec = on_off();
    codec.type = "on | off";
    codec.write = [](const bool& value) { return make_scalar(value ? "on" : "off"); };
    return codec;
}

}  // namespace scrollgate::config
