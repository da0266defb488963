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
#include "core/limits.hpp"
#include "core/net/address.hpp"

namespace scrollgate::config {

struct Listener {
    std::string name;     ///< default: the address as written
    std::string address;  ///< as written, "0.0.0.0:8080"
    SocketAddress bind;
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
};

struct PoolLimits {
    std::uint64_t connections = limits::unlimited;  ///< per endpoint, over all workers
    std::uint64_t in_flight = limits::unlimited;
    std::uint64_t pending = limits::pending;
};

struct Pool {
    std::string name;
    std::string provider = "other", region;
    enum class HostMode : std::uint8_t { client, endpoint, literal };
    HostMode host_mode = HostMode::client;
    std::string host_literal;
    std::vector<Endpoint> endpoints;
    PoolLimits limits;
};

struct RoutePool {
    std::string name;
    std::uint32_t weight = 1;    ///< 1-1000
    std::uint32_t priority = 0;  ///< 0 is used first; 0-100
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

struct Failover {
    std::uint32_t max_attempts = limits::max_attempts;  ///< includes the first
};

struct Route {
    std::string name;
    Match match;
    std::vector<RoutePool> pools;  ///< empty when redirect or respond is set
    enum class Balance : std::uint8_t { round_robin, least_requests, random };
    Balance balance = Balance::round_robin;
    Failover failover;
    RouteTimeouts timeouts;
    HeaderRules request_headers, response_headers;
    std::optional<Rewrite> rewrite;
    std::optional<Redirect> redirect;
    std::optional<Respond> respond;
    bool raw_path = false;
    bool via = true;
};

struct Config {
    std::vector<Listener> listeners;
    std::optional<Admin> admin;  ///< nothing: `admin: off`
    Self self;
    std::vector<Cidr> trusted_proxies;
    AccessLog access_log;
    Limits limits;
    Timeouts timeouts;
    std::vector<Pool> pools;
    std::vector<Route> routes;
    std::uint32_t frequency = limits::frequency;
    std::uint32_t workers = 0;  ///< 0 = auto
};

}  // namespace scrollgate::config
