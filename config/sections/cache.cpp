// The response cache: what the process gives it, and what routes make of it.
#include <algorithm>

#include "config/sections/tables.hpp"
#include "config/url.hpp"
#include "core/field.hpp"
#include "core/hop_by_hop.hpp"

namespace scrollgate::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most_memory = 1ULL << 44;
constexpr std::uint64_t most_entries = 1'000'000'000'000;
constexpr std::size_t most_key_parts = 64;
constexpr std::size_t longest_partition = 200;
constexpr double most_rate = 1'000'000;
constexpr Duration longest_use = 365 * 24h;

std::string wrong_warm_url(const std::string& url) {
    static const std::vector<Scheme> schemes = {{"http", 80, true}, {"https", 443, true}};
    return parse_url(url, schemes, "http://www.example/metadata/1.json").wrong;
}

std::string wrong_file(const std::string& file) {
    if (file.empty()) return "an empty file name";
    return {};
}

const Table<WarmSet>& warm_table() {
    static const Table<WarmSet> table = {
        key("urls", &WarmSet::urls,
            list(text("URLs", "http://www.example/metadata/1.json", wrong_warm_url),
                 "[ \"http://www.example/metadata/1.json\" ]"),
            "what a client would ask for", "[]"),
        key("file", &WarmSet::file, unless_empty(text("file", "/etc/scrollgate/warm", wrong_file)),
            "more of them, one per line; # begins a comment", "none"),
        key("rate", &WarmSet::rate, amount(most_rate), "fetches per second, at most"),
        key("refresh", &WarmSet::refresh, on_off(), "fetch again before they expire"),
    };
    return table;
}

Codec<std::vector<WarmSet>> warm_sets() {
    Codec<std::vector<WarmSet>> codec =
        list(section(warm_table(), "{ file: /etc/scrollgate/warm }"),
             "[ { urls: [ \"http://www.example/\" ] } ]");
    codec.type = "list of sets";
    const auto complain = [](Reader& reader, const Value& value, const std::vector<WarmSet>& sets) {
        for (std::size_t i = 0; i < sets.size(); ++i) {
            if (!sets[i].urls.empty() || !sets[i].file.empty() || !value.items[i]->is_map())
                continue;
            const Reader::Step at = reader.index(i, *value.items[i]);
            reader.error(*value.items[i], "urls, or file, is missing");
        }
    };
    return bounded(std::move(codec), limits::warm_sets, "sets", complain);
}

/// Said only where there is a file to hold them.
Key<Cache> hottest_count() {
    auto made = key("count", &Cache::hottest, count<std::uint32_t>(1, limits::hottest_max),
                    "how many URLs it holds");
    made.write = [write = made.write](const Cache& cache) {
        return cache.hottest_file.empty() ? nullptr : write(cache);
    };
    return made;
}

const Table<Cache>& hottest_table() {
    static const Table<Cache> table = {
        key("file", &Cache::hottest_file,
            unless_empty(text("file", "/var/lib/scrollgate/hottest", wrong_file)),
            "written every minute and at the end; its folder must be there", "none"),
        hottest_count(),
    };
    return table;
}

const Table<Cache>& cache_table() {
    using Compression = Cache::Compression;
    static const Table<Cache> table = {
        key("memory", &Cache::memory, size(limits::cache_memory_min, most_memory, None::refused),
            "for all that is stored, with what it takes to find it"),
        key("max_entries", &Cache::max_entries,
            count<std::uint64_t>(1, most_entries, {{"none", limits::unlimited}}),
            "most stored responses"),
        key("max_object", &Cache::max_object,
            size(1 * limits::KiB, limits::cache_object_max, None::refused),
            "longest body that is stored; at most a quarter of memory"),
        key("compression", &Cache::compression,
            choice<Compression>({{"lz4", Compression::lz4}, {"off", Compression::off}}),
            "of what is stored, where it saves memory; clients never see it"),
        key("warm", &Cache::warm, warm_sets(), "what is fetched at start", "[]"),
        key("warm_deadline", &Cache::warm_deadline, duration(0s, 24h, None::refused),
            "how long /readyz waits for that"),
        group("hottest", hottest_table(), "{ file: /var/lib/scrollgate/hottest }",
              "the URLs in most demand are remembered, and fetched again at the next start"),
        key("redis", &Cache::redis, redis(), "a second tier that nodes share; off unless given",
            "off"),
    };
    return table;
}

std::string wrong_partition(const std::string& name) {
    if (name.empty()) return "an empty name";
    if (name.size() > longest_partition)
        return fmt::format("longer than {} bytes", longest_partition);
    return {};
}

std::string wrong_ignored(const std::string& name) {
    const std::size_t star = name.find('*');
    if (name.empty()) return "an empty name";
    if (star != name.npos && star + 1 != name.size())
        return fmt::format("{}: * can only stand at the end, as in utm_*", quoted(name));
    for (const char c : name)
        if (static_cast<unsigned char>(c) <= 0x20 || c == '&' || c == '=' || c == '#' || c == '?')
            return fmt::format("{} is not the name of a query parameter; write for example utm_*",
                               quoted(name));
    return {};
}

std::string wrong_key_field(const std::string& name) {
    if (std::string wrong = wrong_request_field(name); !wrong.empty()) return wrong;
    const Field id = field_id(name);
    if (ends_at_hop(id))
        return fmt::format("{} is for this proxy alone; no origin sees it", quoted(name));
    switch (id) {
        case Field::host:
        case Field::x_forwarded_host:
        case Field::x_forwarded_proto:
            return "host and scheme are part of every key";
        case Field::cookie:
            return "no two clients have the same Cookie; name those that count under key.cookies";
        case Field::x_forwarded_for:
        case Field::x_real_ip:
        case Field::forwarded:
        case Field::via:
        case Field::x_request_id:
            return fmt::format("{} is written anew for each request; nothing would be shared",
                               quoted(name));
        case Field::range:
        case Field::if_range:
        case Field::if_match:
        case Field::if_none_match:
        case Field::if_modified_since:
        case Field::if_unmodified_since:
        case Field::content_length:
            return fmt::format(
                "{} does not count: a response is asked for as a whole, and parts "
                "and 304 are made from it",
                quoted(name));
        default:
            return {};
    }
}

std::string wrong_cookie(const std::string& name) {
    if (!is_token(name))
        return fmt::format("{} is not a cookie's name; use letters, digits, - _", quoted(name));
    return {};
}

/// Names that stand in keys: bounded, each once, in lower case where case does not count.
Codec<std::vector<std::string>> names(std::string example, Objection wrong, bool lower) {
    Codec<std::vector<std::string>> codec =
        list(text("names", example, wrong), fmt::format("[ {} ]", quoted(example)));
    const auto tidy = [lower](Reader&, const Value&, std::vector<std::string>& into) {
        if (lower)
            for (std::string& name : into)
                name = in_lower_case(std::move(name));
        for (auto one = into.begin(); one != into.end();) {
            if (one->empty() || std::find(into.begin(), one, *one) != one)
                one = into.erase(one);
            else
                ++one;
        }
    };
    return bounded(std::move(codec), most_key_parts, "names", tidy);
}

const Table<CacheKeyRules>& key_table() {
    static const Table<CacheKeyRules> query = {
        key("ignore", &CacheKeyRules::ignore_query, names("utm_*", wrong_ignored, false),
            "parameters that neither count nor are forwarded; name, or prefix*", "[]"),
    };
    static const Table<CacheKeyRules> table = {
        group("query", query, "{ ignore: [ \"utm_*\" ] }", "which parameters count: all but these"),
        key("headers", &CacheKeyRules::headers, names("X-Currency", wrong_key_field, true),
            "request headers whose values count", "[]"),
        key("cookies", &CacheKeyRules::cookies, names("currency", wrong_cookie, false),
            "cookies whose values count", "[]"),
    };
    return table;
}

const Table<RouteCache>& route_cache_table() {
    static const Table<RouteCache> table = {
        key("enabled", &RouteCache::enabled, on_off(), "store responses of this route"),
        key("default_ttl", &RouteCache::default_ttl, duration_or_none(1s, longest_use),
            "how long a response is fresh that does not say; never where cookies or credentials "
            "are in play. none: it is not stored"),
        key("heuristics", &RouteCache::heuristics, on_off(),
            "such a response is fresh for a tenth of the age that Last-Modified tells, a day at "
            "most"),
        key("stale_while_revalidate", &RouteCache::stale_while_revalidate,
            duration_or_none(1s, longest_use),
            "a response that grants none itself answers for so long while it is fetched anew"),
        key("stale_if_error", &RouteCache::stale_if_error, duration_or_none(1s, longest_use),
            "and for so long if the origin fails"),
        key("stale_if_slow", &RouteCache::stale_if_slow, duration_or_none(1ms, 1h),
            "what is stale, for up to an hour, answers if the origin takes longer than this"),
        key("store_set_cookie", &RouteCache::store_set_cookie, on_off(),
            "responses with Set-Cookie are stored, and everybody gets the cookie"),
        key("entries", &RouteCache::entries, on_off(),
            "serves what was set by hand: for its URLs, and under /_cache/"),
        key("partition", &RouteCache::partition,
            text("name", "metadata", wrong_partition, "1-200 bytes"),
            "routes that name the same one share what is stored", "the route's name"),
        key("key", &RouteCache::key, section(key_table(), "{ query: { ignore: [ \"utm_*\" ] } }"),
            "what tells one object from another, beside host, path and query"),
    };
    return table;
}

}  // namespace

Codec<Cache> cache() {
    const std::string example = "{ memory: 512MiB }";
    Codec<Cache> codec = section(cache_table(), example);
    codec.type = "section or off";
    codec.read = [read = codec.read, example](Reader& reader, const Value& value, Cache& into) {
        const Switch given = off_or_keys(reader, value, example);
        if (given == Switch::off) into.memory = 0;
        if (given != Switch::keys) return;
        read(reader, value, into);
        if (value.find("max_object") == nullptr)
            into.max_object = std::min(into.max_object, into.memory / limits::cache_objects_least);
    };
    codec.write = [write = codec.write](const Cache& from) {
        return from.memory == 0 ? make_scalar("off") : write(from);
    };
    return codec;
}

Codec<RouteCache> route_cache() {
    const std::string example = "{ enabled: true }";
    Codec<RouteCache> codec = section(route_cache_table(), example);
    codec.type = "section or off";
    codec.read = [read = codec.read, example](Reader& reader, const Value& value,
                                              RouteCache& into) {
        const Switch given = off_or_keys(reader, value, example);
        if (given == Switch::off) into.enabled = false;
        if (given == Switch::keys) read(reader, value, into);
    };
    codec.write = [write = codec.write](const RouteCache& from) {
        return from.enabled ? write(from) : make_scalar("off");
    };
    return codec;
}

}  // namespace scrollgate::config
