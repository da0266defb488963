// The loaded configuration as plain values: what the file says after defaults, merging and
// validation. Names are those of the YAML keys. Immutable once loaded; any thread may read.
//
// Durations: no_limit means `none`. Sizes and counts: limits::unlimited means `none`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/grpc.hpp"
#include "core/limits.hpp"
#include "core/net/address.hpp"
#include "core/net/tls_context.hpp"
#include "core/net/tls_server.hpp"

namespace scrollgate::config {

struct Listener {
    std::string name;     ///< default: the address as written
    std::string address;  ///< as written, "0.0.0.0:8080"
    SocketAddress bind;
    bool proxy_protocol = false;       ///< every connection begins with a PROXY header
    std::uint16_t https_redirect = 0;  ///< port that plain requests are sent to; 0: off
    std::optional<TlsServerOptions> tls;
};

struct Admin {
    std::string address = "127.0.0.1:9528";
    SocketAddress bind;
    std::string token_file;               ///< with its default filled in
    std::optional<SocketAddress> probes;  ///< /healthz /readyz /metrics alone
};

struct Self {
    std::string provider, region, zone;
    std::string node;  ///< our name in Via; made at start if not configured
};

/// How names are resolved.
struct Dns {
    Duration min_ttl = limits::dns_min_ttl;
    Duration max_ttl = limits::dns_max_ttl;
    std::vector<SocketAddress> servers;  ///< empty: those of the system
};

struct AccessLog {
    enum class Format : std::uint8_t { json, combined, off };
    std::string path = "-";  ///< "-" is standard output
    Format format = Format::json;
};

struct Limits {
    std::size_t header_bytes = limits::header_bytes;
    std::size_t headers = limits::headers;
    std::size_t uri_bytes = limits::uri_bytes;
    std::uint64_t body = limits::unlimited;
    std::uint64_t connections = 0;  ///< 0 = auto
    std::uint64_t connections_per_ip = limits::unlimited;
};

struct Timeouts {
    Duration client_header = limits::client_header;
    Duration handshake = limits::handshake;  ///< PROXY header and TLS handshake of a client
    Duration client_idle = limits::client_idle;
    Duration client_body = limits::client_body;
    Duration client_write = limits::client_write;  ///< no byte taken by the client
    Duration connect = limits::connect;
    Duration upstream_response = limits::upstream_response;
    Duration upstream_body = limits::upstream_body;
    Duration upstream_idle = limits::upstream_idle;
    Duration request = no_limit;
    Duration tunnel_idle = limits::tunnel_idle;
    Duration drain_delay = limits::drain_delay;
    Duration drain = limits::drain;
};

/// What a route may set for itself; the rest comes from `timeouts:`.
struct RouteTimeouts {
    std::optional<Duration> client_body, client_write, connect, upstream_response, upstream_body,
        request, tunnel_idle;
};

struct Endpoint {
    std::string address;  ///< as written
    std::string host;     ///< name or IP literal, without brackets
    std::uint16_t port = 0;
    std::uint32_t weight = 1;  ///< 1-1000
    std::string zone;
    bool tls = false;  ///< https://
};

/// TLS to endpoints (`tls` of a pool), where they are https://.
struct PoolTls {
    std::string server_name;    ///< SNI, and verified; empty: the endpoint's own name
    std::string ca = "system";  ///< or a PEM file
    bool verify = true;
    std::string pin;        ///< "sha256//…": of the key; then the certificate's issuer is nothing
    std::string cert, key;  ///< what we show when asked, PEM files; empty: nothing

    friend bool operator==(const PoolTls&, const PoolTls&) = default;
    /// `alpn`: what is offered.
    [[nodiscard]] TlsClientOptions client(std::vector<std::string> alpn) const {
        return {.verify = verify,
                .ca_file = ca == "system" ? "" : ca,
                .alpn = std::move(alpn),
                .pin = pin,
                .cert = cert,
                .key = key};
    }
};

/// Active checks of one pool's endpoints (`health_check`); none unless configured.
struct HealthCheck {
    /// Inclusive range of status codes that pass.
    struct StatusRange {
        std::uint16_t first = 200, last = 299;
    };
    // One of three:
    std::string path;                 ///< origin-form target of a GET; empty: not that way
    std::optional<std::string> grpc;  ///< service that grpc.health.v1 is asked about; may be empty
    bool tcp = false;                 ///< a connection that is accepted passes; nothing is sent
    Duration interval = limits::check_interval;
    Duration timeout = limits::check_timeout;  ///< from the connect to the last byte looked at
    std::uint32_t healthy_after = limits::healthy_after;      ///< passes in a row
    std::uint32_t unhealthy_after = limits::unhealthy_after;  ///< failures in a row
    std::vector<StatusRange> expect{{}};
    std::string body;  ///< must occur in the body's first limits::check_body bytes; empty: any
    std::uint16_t port = 0;  ///< 0: the endpoint's own
};

/// Ejection by what live traffic shows (`outlier`).
struct Outlier {
    bool enabled = true;
    std::uint32_t consecutive = limits::outlier_consecutive;  ///< 5xx in a row
    double max_ejected = limits::outlier_max_ejected;         ///< share of the pool, in (0, 1]
    Duration ejection = limits::outlier_ejection;             ///< first time; grows with each
};

/// Something that a pool's cloud needs (`depends_on`): lowers preference, empties nothing.
struct Dependency {
    enum class Kind : std::uint8_t { tcp, http, redis };
    Kind kind = Kind::tcp;
    std::string url;    ///< as written
    std::string shown;  ///< to people: without its query; no two of a pool's read the same
    std::string host;
    std::uint16_t port = 0;
    std::string path;            ///< of http
    std::optional<PoolTls> tls;  ///< of https and rediss
};

/// Capacity by itself (`auto`): standbys join as utilisation or its forecast passes the target.
struct AutoScale {
    double target_in_flight = 0;  ///< requests in flight per active endpoint; > 0
    Duration forecast = limits::scale_forecast;
    std::uint32_t min_active = 1;
    std::uint32_t max_active = limits::scale_most;
    Duration shrink_after = limits::scale_shrink_after;  ///< this long below the target first
};

/// Who is told the capacity that is wanted (`webhook`).
struct Webhook {
    std::string url;  ///< http[s]://host[:port]/path
    std::string host;
    std::uint16_t port = 80;
    std::string path = "/";
    std::optional<PoolTls> tls;  ///< of https
};

struct EndpointLimits {
    std::uint64_t connections = limits::unlimited;
    std::uint64_t in_flight = limits::unlimited;

    friend bool operator==(const EndpointLimits&, const EndpointLimits&) = default;
};

/// All of them over all workers.
struct PoolLimits {
    std::uint64_t connections = limits::unlimited;
    std::uint64_t in_flight = limits::unlimited;
    std::uint64_t pending = limits::pending;
    EndpointLimits endpoint;  ///< of each

    friend bool operator==(const PoolLimits&, const PoolLimits&) = default;
    /// A request may have to wait for room.
    [[nodiscard]] bool may_fill() const noexcept {
        return connections != limits::unlimited || in_flight != limits::unlimited ||
               endpoint != EndpointLimits{};
    }
};

struct Pool {
    std::string name;
    std::string provider = "other", region;
    enum class HostMode : std::uint8_t { client, endpoint, literal };
    HostMode host_mode = HostMode::client;
    std::string host_literal;
    std::vector<Endpoint> endpoints;
    std::vector<Endpoint> standby;  ///< checked and warm, no traffic until scaled in
    std::optional<PoolTls> tls;     ///< none: the defaults
    /// The header that tells endpoints who the client is, at the start of each connection.
    enum class ProxyProtocol : std::uint8_t { off, v1, v2 };
    ProxyProtocol proxy_protocol = ProxyProtocol::off;
    /// What is spoken to endpoints.
    enum class Protocol : std::uint8_t {
        http1,
        h2,         ///< over TLS, agreed on by ALPN
        h2c,        ///< without TLS, by prior knowledge (RFC 9113 section 3.3)
        automatic,  ///< over TLS what ALPN agrees on, else HTTP/1.1
    };
    Protocol protocol = Protocol::http1;
    PoolLimits limits;
    std::optional<HealthCheck> health_check;
    Outlier outlier;
    Duration slow_start = limits::slow_start;  ///< 0: off
    std::vector<Dependency> depends_on;
    std::optional<AutoScale> auto_scale;  ///< `auto`
    std::optional<Webhook> webhook;
    std::uint32_t subset = 0;  ///< endpoints that one worker of this node uses; 0: all
};

struct RoutePool {
    std::string name;
    std::uint32_t weight = 1;    ///< 1-1000
    std::uint32_t priority = 0;  ///< 0 is used first; 0-100
    /// Exact share of the level's requests in (0, 1]; nothing: by weight and health.
    std::optional<double> split;
};

struct Match {
    std::string listener;  ///< empty: any
    std::string host;      ///< lower case; exact, "*.example.com", or empty: any
    std::string path_prefix, path_exact, path_regex;  ///< at most one is set
    std::vector<std::string> methods;
    std::vector<std::pair<std::string, std::string>> headers;  ///< equal values, all of them
    std::vector<std::pair<std::string, std::string>> query;
};

struct HeaderRules {
    std::vector<std::pair<std::string, std::string>> set, add;
    std::vector<std::string> remove;

    friend bool operator==(const HeaderRules&, const HeaderRules&) = default;
};

struct Rewrite {
    std::string strip_prefix;
    std::string regex, to;  ///< RE2; `to` uses \1 … \9
};

struct Redirect {
    std::string to;  ///< may hold {scheme} {host} {path} {query} {uri}
    std::uint16_t status = 308;
};

struct Respond {
    std::uint16_t status = 200;
    std::string body;
    std::string content_type = "text/plain; charset=utf-8";
};

/// Strict-Transport-Security (RFC 6797), said over https alone.
struct Hsts {
    Duration max_age = std::chrono::hours(365 * 24);
    bool include_subdomains = false;
    bool preload = false;
};

struct Failover {
    std::uint32_t max_attempts = limits::max_attempts;  ///< includes the first
    std::vector<std::uint16_t> retry_on = {502, 503};   ///< answers that are asked for elsewhere
    std::vector<grpc::Status> retry_grpc;   ///< … and calls that were turned down; empty: none
    double budget = limits::retry_budget;   ///< retries per request, in [0, 1]; 0: the floor alone
    bool hedge = true;                      ///< auto | off
    std::uint64_t replay = limits::replay;  ///< longest request body kept for a repetition
    bool idempotency_key = false;           ///< a request with Idempotency-Key may be repeated
    Duration connect_race = limits::connect_race;  ///< no_limit: off
};

/// What consistent_hash goes by (`hash`).
struct HashKey {
    enum class Source : std::uint8_t { client, header, cookie, path, query };
    Source source = Source::client;
    std::string name;  ///< of the header, cookie or query parameter
};

/// One client stays with one endpoint while it is well (`sticky`).
struct Sticky {
    enum class Secure : std::uint8_t { automatic, on, off };
    std::string cookie = "scrollgate";
    Duration ttl = no_limit;            ///< no_limit: a session cookie
    Secure secure = Secure::automatic;  ///< automatic: where the client speaks https
};

/// What tells one stored response of a route from another, beside scheme, authority and target
/// (`key` of a route's cache).
struct CacheKeyRules {
    /// Query parameters that neither count nor are forwarded when a response may be stored: names,
    /// or "prefix*".
    std::vector<std::string> ignore_query;
    std::vector<std::string> headers;  ///< lower case; their values count
    std::vector<std::string> cookies;  ///< so do those of these cookies
};

/// A route's share in the response cache (`cache` of a route).
struct RouteCache {
    bool enabled = false;
    std::optional<Duration> default_ttl;  ///< of responses that say nothing; nothing: not stored
    bool heuristics = false;              ///< a tenth of the age since Last-Modified, if unsaid
    std::optional<Duration> stale_while_revalidate;  ///< where the response grants none itself
    std::optional<Duration> stale_if_error = limits::stale_if_error;  ///< likewise
    std::optional<Duration> stale_if_slow;  ///< an origin that takes longer is answered for, stale
    bool store_set_cookie = false;          ///< responses with Set-Cookie may be stored
    bool entries = false;                   ///< /_cache/<key> serves what was set by hand
    std::string partition;                  ///< default: the route's name
    CacheKeyRules key;
};

struct Route {
    std::string name;
    Match match;
    std::vector<RoutePool> pools;  ///< empty when redirect or respond is set
    enum class Balance : std::uint8_t {
        adaptive,
        round_robin,
        least_requests,
        random,
        consistent_hash,
    };
    Balance balance = Balance::adaptive;
    /// How much the way from `self` counts: not at all, between equals, or near ones first.
    enum class Nearness : std::uint8_t { off, tie, strict };
    Nearness nearness = Nearness::tie;
    HashKey hash;
    std::optional<Sticky> sticky;
    Failover failover;
    RouteTimeouts timeouts;
    HeaderRules request_headers, response_headers;
    std::optional<Rewrite> rewrite;
    std::optional<Redirect> redirect;
    std::optional<Respond> respond;
    std::uint16_t https_redirect = 0;  ///< port that plain requests are sent to; 0: off
    std::optional<Hsts> hsts;
    RouteCache cache;
    bool raw_path = false;
    bool via = true;
};

/// URLs that are fetched into the cache at start, and again before they expire.
struct WarmSet {
    std::vector<std::string> urls;  ///< http://host/path or https://…: what a client would ask for
    std::string file;               ///< one URL per line, `#` begins a comment; empty: none
    double rate = limits::warm_rate;  ///< fetches per second; > 0
    bool refresh = true;              ///< fetch again before they expire
};

/// redis://[user[:password]@]host[:port][/database], or rediss:// for TLS.
struct RedisUrl {
    bool tls = false;
    std::string username, password;
    std::string host;  ///< name or IP literal, without brackets
    std::uint16_t port = 6379;
    std::uint32_t database = 0;
};

/// TLS to Redis (`tls` of redis), for rediss:// and, if it is given, for masters of sentinels.
struct RedisTls {
    std::string server_name;    ///< SNI, and verified; empty: each node's own name
    std::string ca = "system";  ///< or a PEM file
    bool verify = true;
    std::string cert, key;  ///< what we show when asked, PEM files; empty: nothing

    [[nodiscard]] TlsClientOptions client() const {
        return {.verify = verify, .ca_file = ca == "system" ? "" : ca, .cert = cert, .key = key};
    }
};

/// Sentinels that know the master (`sentinel` of redis).
struct RedisSentinel {
    std::string master;           ///< its name
    std::vector<HostPort> nodes;  ///< port 26379 if none was written
};

/// The second tier, behind the memory of each node (`redis` of cache).
struct Redis {
    std::optional<RedisUrl> url;  ///< nothing with sentinels
    std::vector<HostPort> nodes;  ///< more of a cluster's, to begin with
    std::optional<RedisSentinel> sentinel;
    enum class Cluster : std::uint8_t { detect, on, off };
    Cluster cluster = Cluster::detect;
    std::string username, password;  ///< password: or password_file
    std::string password_file;       ///< read anew when it changes
    std::uint32_t database = 0;      ///< with sentinels; else the URL's
    std::optional<RedisTls> tls;
    bool from_replicas = false;  ///< read_from: replica
    Duration timeout = limits::redis_timeout;
    std::uint64_t max_object = limits::redis_object;              ///< longest entry that goes there
    std::string prefix = "scrollgate";                            ///< of all keys
    std::uint64_t queue_commands = limits::redis_queue_commands;  ///< per worker
    std::uint64_t queue_bytes = limits::redis_queue_bytes;        ///< likewise
    std::vector<RedisUrl> purge_log;                              ///< of other clouds
};

/// The response cache of the process (`cache`). With memory 0 no route caches.
struct Cache {
    std::uint64_t memory = limits::cache_memory;
    std::uint64_t max_entries = limits::unlimited;
    std::uint64_t max_object = limits::cache_object;
    enum class Compression : std::uint8_t { off, lz4 };
    Compression compression = Compression::lz4;
    std::vector<WarmSet> warm;
    Duration warm_deadline = limits::warm_deadline;  ///< /readyz waits for warm sets so long
    std::string hottest_file;  ///< remembers the hottest URLs over a restart; empty: nobody does
    std::uint32_t hottest = limits::hottest;  ///< how many
    std::optional<Redis> redis;               ///< nothing: off
};

struct Config {
    std::vector<Listener> listeners;
    std::optional<Admin> admin;  ///< nothing: `admin: off`
    Self self;
    std::vector<Cidr> trusted_proxies;
    Dns dns;
    AccessLog access_log;
    Limits limits;
    Timeouts timeouts;
    Cache cache;
    std::vector<Pool> pools;
    std::vector<Route> routes;
    std::uint32_t frequency = limits::frequency;
    std::uint32_t workers = 0;  ///< 0 = auto
};

}  // namespace scrollgate::config
