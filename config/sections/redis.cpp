// The second tier of the cache: where Redis is, and who we are there.
#include <algorithm>

#include "config/redis_url.hpp"
#include "config/sections/tables.hpp"

namespace scrollgate::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_prefix = 100, longest_secret = 64 * limits::KiB;
constexpr std::uint64_t most_database = 65'535, most_queue = 1'000'000;

std::string wrong_file(const std::string& text) {
    if (text.empty()) return "an empty file name";
    return {};
}

std::string wrong_host(const std::string& name) {
    const auto parsed = parse_host_port(name);
    if (!parsed || parsed->host != name)
        return fmt::format("{} is not a host; write a name such as cache.example", quoted(name));
    return {};
}

std::string wrong_master(const std::string& name) {
    if (name.empty()) return "an empty name";
    return {};
}

std::string wrong_user(const std::string& name) {
    if (name.empty()) return "an empty name";
    return {};
}

/// It stands in every key, and in front of what may hold {…} for the slot.
std::string wrong_prefix(const std::string& name) {
    const bool good = !name.empty() && name.size() <= longest_prefix &&
                      std::all_of(name.begin(), name.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
                      });
    if (good) return {};
    return fmt::format("{} is no prefix: 1-{} letters, digits, '-', '_' or '.'", quoted(name),
                       longest_prefix);
}

Codec<std::string> file(std::string example) {
    return unless_empty(text("file", std::move(example), wrong_file));
}

/// Never repeated, whatever is wrong with it.
Codec<std::string> secret() {
    Codec<std::string> codec;
    codec.type = "text";
    codec.read = [](Reader& reader, const Value& value, std::string& into) {
        const auto given = reader.scalar(value, "${REDIS_PASSWORD}");
        if (!given) return;
        if (given->empty()) return reader.error(value, "an empty password");
        if (given->size() > longest_secret) return reader.error(value, "too long for a password");
        into = *given;
    };
    codec.write = [](const std::string& value) -> ValuePtr {
        return value.empty() ? nullptr : make_scalar("(hidden)");
    };
    return codec;
}

Codec<RedisUrl> url() {
    Codec<RedisUrl> codec = parsed<RedisUrl>(
        "URL", "redis:// or rediss://", "redis://127.0.0.1:6379/0",
        [](std::string_view given) { return parse_redis_url(std::string(given)); });
    codec.write = [](const RedisUrl& from) { return text_value(shown(from)); };
    return codec;
}

Codec<HostPort> place(std::string example) {
    Codec<HostPort> codec =
        parsed<HostPort>("host:port", "", example, [example](std::string_view given) {
            const auto made = parse_host_port(given);
            if (!made || made->host.empty())
                return refuse<HostPort>(fmt::format(
                    "{} is not a host and port; write for example {}", quoted(given), example));
            return Parsed<HostPort>{*made, {}};
        });
    codec.write = [](const HostPort& from) {
        const bool v6 = from.host.find(':') != from.host.npos;
        std::string out = v6 ? fmt::format("[{}]", from.host) : from.host;
        if (from.port != 0) out += fmt::format(":{}", from.port);
        return make_scalar(std::move(out));
    };
    return codec;
}

/// At most so many, so that nobody is asked for ever.
template <class V>
Codec<std::vector<V>> few(const Codec<V>& inner, std::string example, std::size_t most) {
    return bounded(list(inner, std::move(example)), most, "of them",
                   [](Reader&, const Value&, std::vector<V>&) {});
}

Codec<Redis::Cluster> cluster() {
    using Cluster = Redis::Cluster;
    Codec<Cluster> codec = choice<Cluster>(
        {{"auto", Cluster::detect}, {"true", Cluster::on}, {"false", Cluster::off}});
    codec.read = [read = codec.read](Reader& reader, const Value& value, Cluster& into) {
        if (const auto on = value.is_scalar() ? parse_switch(value.text) : Parsed<bool>{}; on.value)
            into = *on.value ? Cluster::on : Cluster::off;
        else
            read(reader, value, into);
    };
    return codec;
}

const Table<RedisSentinel>& sentinel_table() {
    using T = RedisSentinel;
    static const Table<T> table = {
        required(key("master", &T::master, text("name", "mymaster", wrong_master),
                     "what the sentinels call it")),
        required(key("nodes", &T::nodes,
                     few(place("10.0.0.1:26379"), "[ \"10.0.0.1:26379\" ]", limits::redis_seeds),
                     "the sentinels, asked in turn, without AUTH and, if tls is set, over TLS; "
                     "port 26379 if none is written")),
    };
    return table;
}

const Table<RedisTls>& redis_tls_table() {
    using T = RedisTls;
    static const Table<T> table = {
        key("server_name", &T::server_name, unless_empty(text("host", "cache.example", wrong_host)),
            "asked for (SNI) and verified, of every node", "the node's name"),
        key("ca", &T::ca, text("system | file", "system", wrong_file),
            "who may have signed the certificate: those of the system, or of a PEM file"),
        key("verify", &T::verify, on_off(), "false: anybody may pretend to be Redis"),
        key("cert", &T::cert, file("client.crt"), "PEM: what we show to servers that ask", "none"),
        key("key", &T::key, file("client.key"), "PEM: its key", "none"),
    };
    return table;
}

const Table<Redis>& queue_table() {
    using T = Redis;
    static const Table<T> table = {
        key("commands", &T::queue_commands, count<std::uint64_t>(16, most_queue),
            "under way at a time, per worker; what is stored may take half of it"),
        key("bytes", &T::queue_bytes, size(64 * limits::KiB, 1024 * limits::MiB, None::refused),
            "of those, likewise"),
    };
    return table;
}

const Table<Redis>& redis_table() {
    using T = Redis;
    static const Table<T> table = {
        key("url", &T::url, optional(url()),
            "redis://[user[:password]@]host[:port][/database]; rediss:// over TLS",
            "required without sentinel"),
        key("nodes", &T::nodes,
            few(place("10.0.0.2:6379"), "[ \"10.0.0.2:6379\" ]", limits::redis_seeds),
            "more of a cluster's nodes, to begin with", "[]"),
        key("cluster", &T::cluster, cluster(), "whether it is one; auto asks it"),
        key("sentinel", &T::sentinel,
            optional(section(sentinel_table(), "{ master: mymaster, nodes: [ 10.0.0.1 ] }")),
            "who knows where the master is, instead of url", "none"),
        key("username", &T::username, unless_empty(text("name", "scrollgate", wrong_user)),
            "for AUTH", "the default user"),
        key("password", &T::password, secret(), "for AUTH; write ${VAR}, not the password", "none"),
        key("password_file", &T::password_file, file("/run/secrets/redis"),
            "holds it instead; read anew, and said on live connections, when it changes", "none"),
        key("database", &T::database, count<std::uint32_t>(0, most_database),
            "with sentinel; else it stands in url"),
        key("tls", &T::tls, optional(section(redis_tls_table(), "{ ca: redis-ca.crt }")),
            "for rediss://; with sentinel its presence means TLS", "none"),
        key("read_from", &T::from_replicas, choice<bool>({{"master", false}, {"replica", true}}),
            "replica: of clusters and sentinels; they may lag behind"),
        key("timeout", &T::timeout, duration(1ms, limits::redis_timeout_max, None::refused),
            "of one command; without an answer by then the origin is asked"),
        key("max_object", &T::max_object,
            size(1 * limits::KiB, limits::redis_object_max, None::refused),
            "longest response that goes there, so that long ones do not hold up short ones"),
        key("prefix", &T::prefix, text("name", "scrollgate", wrong_prefix),
            "of every key; nodes with the same one share what is stored"),
        group("queue", queue_table(), "{ commands: 4096 }", "what may wait for Redis"),
        key("purge_log", &T::purge_log,
            few(url(), "[ \"rediss://cache.gcp.example\" ]", limits::redis_urls),
            "Redis of other clouds: purges go there, too, and are heard from there; a URL "
            "without a password gets ours",
            "[]"),
    };
    return table;
}

}  // namespace

Codec<std::optional<Redis>> redis() {
    return section_or_off(redis_table(), "{ url: \"redis://127.0.0.1:6379/0\" }");
}

}  // namespace scrollgate::config
