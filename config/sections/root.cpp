// The file as a whole.
#include <algorithm>

#include "config/paths.hpp"
#include "config/sections/tables.hpp"

namespace scrollgate::config {
namespace {

constexpr std::size_t most_pools = 1000;
constexpr std::size_t most_routes = 20'000;

std::string wrong_pool_name(const std::string& name) {
    const bool sane =
        !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                   c == '-' || c == '_' || c == '.';
        });
    if (sane) return {};
    return "not a pool's name; use up to 64 letters, digits, - _ .";
}

ValuePtr shared(const Value& map, std::string_view key) {
    for (const Value::Entry& entry : map.entries)
        if (entry.key == key) return entry.value;
    return nullptr;
}

/// `defaults` is read once for its own sake, so that a slip in it is reported where it stands;
/// then it lies under every pool and route.
Key<Config> defaults_key() {
    struct Defaults {
        Pool pool;
        Route route;
    };
    static const Table<Defaults> table = {
        key("pool", &Defaults::pool, section(pool_table(), "{ limits: { connections: 100 } }"),
            "merged under every pool: maps key by key, anything else is replaced", "{}"),
        key("route", &Defaults::route, section(route_table(), "{ balance: random }"),
            "merged under every route likewise", "{}"),
    };
    Key<Config> made;
    made.info.name = "defaults";
    made.info.type = "section";
    made.info.doc = "what pools and routes have in common";
    made.info.children = infos(table);
    // The keys inside are those of pools and routes: they need no second listing.
    for (KeyInfo& child : made.info.children)
        child.children.clear();
    made.read = [](Reader& reader, const Value& value, Config&) {
        if (!reader.is_section(value, "{ route: { balance: random } }")) return;
        Defaults scratch;
        reader.enter_defaults(value);
        read_table(reader, table, value, scratch);
        reader.leave_defaults();
        reader.pool_defaults = shared(value, "pool");
        reader.route_defaults = shared(value, "route");
    };
    made.write = [](const Config&) -> ValuePtr { return nullptr; };
    return made;
}

Codec<std::vector<Pool>> pools() {
    Codec<std::vector<Pool>> codec;
    codec.type = "map of names to pools";
    codec.below = "*";
    codec.children = infos(pool_table());
    codec.read = [](Reader& reader, const Value& value, std::vector<Pool>& into) {
        const std::string example = "{ aws: { endpoints: [ \"10.0.1.10:8080\" ] } }";
        if (!reader.is_section(value, example)) return;
        reader.doubled(value);
        if (value.entries.size() > most_pools)
            return reader.error(value, fmt::format("more than {} pools", most_pools));
        const auto pool = section(pool_table(), "{ endpoints: [ \"10.0.1.10:8080\" ] }");
        for (const Value::Entry& entry : value.entries) {
            const Reader::Step at = reader.name(entry.key, *entry.value);
            if (std::string wrong = wrong_pool_name(entry.key); !wrong.empty())
                reader.error(entry.mark, std::move(wrong));
            Pool made;
            made.name = entry.key;
            pool.read(reader, *merged(reader.pool_defaults, entry.value), made);
            into.push_back(std::move(made));
        }
    };
    codec.write = [](const std::vector<Pool>& all) {
        std::vector<Value::Entry> entries;
        for (const Pool& pool : all)
            entries.push_back({pool.name, {}, write_table(pool_table(), pool)});
        return make_map(std::move(entries));
    };
    return codec;
}

Codec<std::vector<Route>> routes() {
    const auto route = section(route_table(), "{ pools: [ aws ] }");
    Codec<std::vector<Route>> codec = list(route, "[ { pools: [ aws ] } ]");
    codec.type = "list of routes";
    codec.read = [read = route.read](Reader& reader, const Value& value, std::vector<Route>& into) {
        if (!reader.is_list(value, "[ { pools: [ aws ] } ]")) return;
        if (value.items.size() > most_routes)
            return reader.error(value, fmt::format("more than {} routes", most_routes));
        for (const ValuePtr& item : value.items) {
            const Reader::Step at = reader.index(into.size(), *item);
            Route made;
            const bool plain = item->is_map() || item->is_null();
            read(reader, plain ? *merged(reader.route_defaults, item) : *item, made);
            if (made.name.empty()) made.name = in_words(made.match);
            if (made.cache.partition.empty()) made.cache.partition = made.name;
            into.push_back(std::move(made));
        }
    };
    return codec;
}

Codec<std::vector<Listener>> listeners() {
    Codec<std::vector<Listener>> codec = list(
        section(listener_table(), "{ address: 0.0.0.0:8080 }"), "[ { address: 0.0.0.0:8080 } ]");
    codec.type = "list of listeners";
    codec.read = [read = codec.read](Reader& reader, const Value& value,
                                     std::vector<Listener>& into) {
        read(reader, value, into);
        for (Listener& listener : into)
            if (listener.name.empty()) listener.name = listener.address;
    };
    return codec;
}

/// A section, or `off` for short.
Codec<AccessLog> access_log() {
    Codec<AccessLog> codec = section(access_log_table(), "{ path: \"-\", format: json }");
    codec.type = "section or off";
    codec.read = [read = codec.read](Reader& reader, const Value& value, AccessLog& into) {
        const Switch given = off_or_keys(reader, value, "{ path: \"-\", format: json }");
        if (given == Switch::off) into.format = AccessLog::Format::off;
        if (given == Switch::keys) read(reader, value, into);
    };
    return codec;
}

Codec<Cidr> cidr() {
    Codec<Cidr> codec;
    codec.type = "address blocks";
    codec.read = [](Reader& reader, const Value& value, Cidr& into) {
        const auto given = reader.scalar(value, "10.0.0.0/8");
        if (!given) return;
        if (const auto parsed = Cidr::parse(*given))
            into = *parsed;
        else
            reader.error(value, fmt::format("{} is not an address block; write for example "
                                            "10.0.0.0/8 or 2001:db8::/32",
                                            quoted(*given)));
    };
    codec.write = [](const Cidr& block) { return make_scalar(block.text()); };
    return codec;
}

}  // namespace

const Table<Config>& root_table() {
    static const Table<Config> table = {
        defaults_key(),  // first: it must be known when pools and routes are read
        required(key("listeners", &Config::listeners, listeners(), "where clients connect")),
        key("admin", &Config::admin, section_or_off(admin_table(), "{ address: 127.0.0.1:9528 }"),
            "the admin API; off: none", "on"),
        key("self", &Config::self, section(self_table(), "{ provider: aws }"),
            "where this proxy runs"),
        key("trusted_proxies", &Config::trusted_proxies, list(cidr(), "[ 10.0.0.0/8 ]"),
            "peers whose X-Forwarded-* and X-Request-Id are believed", "[]"),
        key("dns", &Config::dns, section(dns_table(), "{ max_ttl: 1m }"),
            "how names of endpoints are resolved"),
        key("access_log", &Config::access_log, access_log(), "one line per request"),
        key("limits", &Config::limits, section(limits_table(), "{ body: 10MiB }"),
            "bounds on messages and connections"),
        key("timeouts", &Config::timeouts, section(timeouts_table(), "{ connect: 1s }"),
            "bounds on waiting; none means for ever"),
        key("cache", &Config::cache, cache(), "the response cache; routes take part by their own"),
        key("pools", &Config::pools, pools(), "the services behind this proxy, by name"),
        required(key("routes", &Config::routes, routes(), "first match wins; no match is 404")),
        key("frequency", &Config::frequency,
            count<std::uint32_t>(limits::frequency_min, limits::frequency_max),
            "Hz: resolution of the timer wheel that all timeouts share"),
        key("workers", &Config::workers,
            count<std::uint32_t>(1, limits::workers_max, {{"auto", 0}}),
            "event loops, one thread each; auto: the usable cores"),
    };
    return table;
}

const KeyInfo& root_info() {
    static const KeyInfo info = [] {
        KeyInfo root;
        root.children = infos(root_table());
        return root;
    }();
    return info;
}

}  // namespace scrollgate::config
