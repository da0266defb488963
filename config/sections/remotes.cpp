// Whom health asks and tells besides the endpoints: `depends_on` and `webhook`, each a URL, or a
// section of a URL and what TLS to it needs.
#include <algorithm>

#include "config/sections/tables.hpp"
#include "config/url.hpp"

namespace scrollgate::config {
namespace {

constexpr std::size_t most_dependencies = 32;

constexpr const char* dependency_example = "tcp://db.example:5432";
constexpr const char* webhook_example = "http://scaler.example:8080/desired";

const std::vector<Scheme>& schemes_of(const Dependency*) {
    static const std::vector<Scheme> schemes = {{"tcp", 0, false},
                                                {"http", 80, true},
                                                {"redis", 6379, false},
                                                {"https", 443, true},
                                                {"rediss", 6379, false}};
    return schemes;
}

const std::vector<Scheme>& schemes_of(const Webhook*) {
    static const std::vector<Scheme> schemes = {{"http", 80, true}, {"https", 443, true}};
    return schemes;
}

void describe(Dependency& into, std::string_view scheme) {
    into.shown = without_query(into.url);
    into.kind = scheme.starts_with("http")    ? Dependency::Kind::http
                : scheme.starts_with("redis") ? Dependency::Kind::redis
                                              : Dependency::Kind::tcp;
}

void describe(Webhook&, std::string_view) {}

std::string shown(const Dependency& from) {
    return from.shown;
}

std::string shown(const Webhook& from) {
    return without_query(from.url);
}

template <class T>
void read_url(Reader& reader, const Value& value, const std::string& example, T& into) {
    const auto given = reader.scalar(value, example);
    if (!given) return;
    auto parsed = parse_url(*given, schemes_of(&into), example);
    if (!parsed.value) return reader.error(value, std::move(parsed.wrong));
    into.url = *given;
    into.host = std::move(parsed.value->host);
    into.port = parsed.value->port;
    into.path = std::move(parsed.value->path);
    const std::string& scheme = parsed.value->scheme;
    if (scheme == "https" || scheme == "rediss") into.tls.emplace();
    describe(into, scheme);
}

/// `url`, and behind it `tls`, which only some URLs have a use for.
template <class T>
Table<T> remote_table(const std::string& example, std::string doc) {
    Key<T> url;
    url.info.name = "url";
    url.info.type = "URL";
    url.info.doc = std::move(doc);
    url.read = [example](Reader& reader, const Value& value, T& into) {
        read_url(reader, value, example, into);
    };
    url.write = [](const T& from) { return text_value(shown(from)); };
    Key<T> tls;
    tls.info.name = "tls";
    tls.info.type = "section";
    tls.info.default_value = "system's CAs";
    tls.info.doc = "of a URL over TLS: whom to believe, what to show";
    tls.info.children = infos(pool_tls_table());
    tls.read = [](Reader& reader, const Value& value, T& into) {
        if (!reader.is_section(value, "{ ca: cloud.crt }")) return;
        PoolTls made;
        read_table(reader, pool_tls_table(), value, made);
        if (into.host.empty()) return;  // reported
        if (!into.tls)
            return reader.error(value, fmt::format("says nothing: {} is not over TLS", into.url));
        into.tls = std::move(made);
    };
    tls.write = [](const T& from) { return write_table(pool_tls_table(), *from.tls); };
    return {required(std::move(url)), std::move(tls)};
}

const Table<Dependency>& dependency_table() {
    static const Table<Dependency> table =
        remote_table<Dependency>(dependency_example, "what is asked whether it is there");
    return table;
}

const Table<Webhook>& webhook_table() {
    static const Table<Webhook> table = remote_table<Webhook>(webhook_example, "where it is");
    return table;
}

/// Its URL alone, or a section if there is more to say.
template <class T>
Codec<T> remote(const Table<T>& table, std::string type, const std::string& example) {
    Codec<T> codec = section(table, example);
    codec.type = std::move(type);
    codec.read = [whole = codec.read, example](Reader& reader, const Value& value, T& into) {
        if (value.is_map())
            whole(reader, value, into);
        else
            read_url(reader, value, example, into);
    };
    codec.write = [whole = codec.write](const T& from) {
        if (!from.tls || *from.tls == PoolTls{}) return text_value(shown(from));
        return whole(from);
    };
    return codec;
}

bool same_thing(const Dependency& one, const Dependency& other) {
    return one.url == other.url ||
           (one.kind == other.kind && one.host == other.host && one.port == other.port &&
            one.path == other.path && one.tls.has_value() == other.tls.has_value());
}

}  // namespace

// Each once: it is probed, shown and counted by its URL.
Codec<std::vector<Dependency>> dependencies() {
    Codec<std::vector<Dependency>> codec =
        list(remote(dependency_table(), "URLs or maps", dependency_example),
             fmt::format("[ \"{}\" ]", dependency_example));
    codec.read = [read = codec.read](Reader& reader, const Value& value,
                                     std::vector<Dependency>& into) {
        if (value.items.size() > most_dependencies)
            return reader.error(value, fmt::format("more than {}", most_dependencies));
        std::vector<Dependency> made;
        read(reader, value, made);
        for (auto one = made.begin(); one != made.end(); ++one) {
            if (one->host.empty()) continue;  // reported
            const auto place = static_cast<std::size_t>(one - made.begin());
            const Reader::Step at = reader.index(place, *value.items[place]);
            const auto first = std::find_if(made.begin(), one, [&](const Dependency& other) {
                return same_thing(other, *one);
            });
            if (first != one) {
                reader.error(*value.items[place], fmt::format("{} is depends_on[{}] already",
                                                              one->shown, first - made.begin()));
                continue;
            }
            // Two that differ in what is hidden.
            const auto reads = [&](const Dependency& other) { return other.shown == one->shown; };
            for (int number = 2; std::any_of(made.begin(), one, reads); ++number)
                one->shown = without_query(one->url, fmt::format("hidden-{}", number));
        }
        into = std::move(made);
    };
    return codec;
}

Codec<std::optional<Webhook>> webhook() {
    const Codec<Webhook> inner = remote(webhook_table(), "URL, section or off", webhook_example);
    Codec<std::optional<Webhook>> codec = optional(inner);
    codec.read = [read = inner.read](Reader& reader, const Value& value,
                                     std::optional<Webhook>& into) {
        const bool plain = value.is_scalar() && value.tag.empty();
        if (plain && (value.text == "off" || value.text == "none")) return into.reset();
        Webhook made;
        read(reader, value, made);
        if (!made.host.empty()) into = std::move(made);
    };
    codec.write = [write = inner.write](const std::optional<Webhook>& from) {
        return from ? write(*from) : make_scalar("off");
    };
    return codec;
}

}  // namespace scrollgate::config
