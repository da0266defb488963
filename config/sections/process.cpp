// What belongs to the process and not to a pool or route: listeners, admin, self, log, limits,
// timeouts.
#include <algorithm>

#include "config/paths.hpp"
#include "config/sections/tables.hpp"

namespace scrollgate::config {
namespace {

using namespace std::chrono_literals;

/// An address to listen on, as text and as the kernel wants it.
Parsed<SocketAddress> parse_bind(const std::string& text) {
    const auto wrong = [&](std::string_view words) {
        return refuse<SocketAddress>(fmt::format("{} {}", quoted(text), words));
    };
    const bool digits = !text.empty() && text.size() <= 5 && parse_count(text, 0, 65535).value;
    if (digits)
        return refuse<SocketAddress>(fmt::format(
            "{0} is only a port; write 0.0.0.0:{1} or 127.0.0.1:{1}", quoted(text), text));
    const auto parsed = parse_host_port(text);
    if (!parsed) {
        if (text.find("://") != text.npos)
            return wrong("is a URL; write an address such as 0.0.0.0:8080");
        if (text.starts_with("*:"))
            return wrong(fmt::format("has no address; write 0.0.0.0{}", text.substr(1)));
        return wrong("is not an address; write for example 0.0.0.0:8080 or \"[::]:8080\"");
    }
    if (parsed->port == 0 && !text.ends_with(":0"))
        return wrong(fmt::format("has no port; write for example {}:8080", text));
    const std::string ip = parsed->host.empty() ? "0.0.0.0" : parsed->host;
    const auto address = SocketAddress::from_ip(ip, parsed->port);
    if (!address)
        return wrong(fmt::format(
            "is a name; a listening address is an IP address, such as 127.0.0.1:{}", parsed->port));
    return {*address, {}};
}

/// A key that fills the text and the parsed form of an address.
template <class T>
Key<T> address_key(std::string name, std::string T::*as_text, SocketAddress T::*bind,
                   std::string doc) {
    Codec<std::string> codec = text("address", "0.0.0.0:8080");
    Key<T> made = key<T>(std::move(name), as_text, codec, std::move(doc));
    made.read = [read = codec.read, as_text, bind](Reader& reader, const Value& value, T& into) {
        const std::size_t problems = reader.problems().size();
        std::string given;
        read(reader, value, given);
        if (reader.problems().size() > problems) return;
        const auto parsed = parse_bind(given);
        if (!parsed.value) return reader.error(value, parsed.wrong);
        into.*as_text = given;
        into.*bind = *parsed.value;
    };
    return made;
}

std::string wrong_label(const std::string& text) {
    if (text.size() > 128) return "longer than 128 bytes";
    return {};
}

std::string wrong_file(const std::string& text) {
    if (text.empty()) return "an empty file name";
    return {};
}

Codec<std::string> node_name() {
    Codec<std::string> codec = text("name", "edge-1", [](const std::string& name) -> std::string {
        if (!is_token(name) || name.size() > 64)
            return fmt::format("{} is not a name for Via; use up to 64 letters, digits, - . _",
                               quoted(name));
        return {};
    });
    codec.read = [read = codec.read](Reader& reader, const Value& value, std::string& into) {
        std::string given;
        read(reader, value, given);
        into = given == "random" ? "" : given;
    };
    codec.write = [](const std::string& name) {
        return text_value(name.empty() ? "random" : name);
    };
    return codec;
}

Codec<std::optional<SocketAddress>> probes_address() {
    Codec<std::optional<SocketAddress>> codec;
    codec.type = "address or none";
    codec.read = [](Reader& reader, const Value& value, std::optional<SocketAddress>& into) {
        const auto given = reader.scalar(value, "0.0.0.0:9529");
        if (!given) return;
        if (*given == "none" || *given == "off") {
            into.reset();
            return;
        }
        const auto parsed = parse_bind(*given);
        if (!parsed.value) return reader.error(value, parsed.wrong);
        into = parsed.value;
    };
    codec.write = [](const std::optional<SocketAddress>& address) {
        return make_scalar(address ? address->text() : "none");
    };
    return codec;
}

Codec<Duration> wait(Duration most = 24h) {
    return duration(1ms, most, None::allowed);
}

/// The timeouts that a route may set for itself share codec and meaning with those of the process.
struct Wait {
    static constexpr const char* client_body =
        "longest pause between two reads of a request body; 408. Clients of gRPC are asked by PING";
    static constexpr const char* client_write =
        "longest pause in which the client takes no byte of the answer; the connection is closed";
    static constexpr const char* connect = "for one TCP connect to an endpoint";
    static constexpr const char* upstream_response =
        "from the request's last byte to the final response head, over all attempts; 504";
    static constexpr const char* upstream_body =
        "longest pause between two reads of a response body, but for gRPC over HTTP/2";
    static constexpr const char* request = "hard total for a request and its response";
    static constexpr const char* tunnel_idle =
        "longest silence in an upgraded connection (WebSocket), or of both sides of a gRPC call";
};

Codec<SocketAddress> dns_server() {
    Codec<SocketAddress> codec;
    codec.type = "addresses";
    codec.read = [](Reader& reader, const Value& value, SocketAddress& into) {
        const auto given = reader.scalar(value, "10.0.0.2:53");
        if (!given) return;
        const auto parsed = parse_host_port(*given);
        const auto bare = SocketAddress::from_ip(*given, 53);
        const auto address =
            bare || !parsed
                ? bare
                : SocketAddress::from_ip(parsed->host, parsed->port == 0 ? 53 : parsed->port);
        if (!address)
            return reader.error(value, fmt::format("{} is not a name server's address; write for "
                                                   "example 10.0.0.2 or \"[::1]:5353\"",
                                                   quoted(*given)));
        into = *address;
    };
    codec.write = [](const SocketAddress& address) { return make_scalar(address.text()); };
    return codec;
}

/// `off` (none, false), or a word that turns it on.
Codec<bool> off_or(std::string word) {
    Codec<bool> codec = choice<bool>({{"off", false}, {word, true}});
    codec.read = [read = codec.read](Reader& reader, const Value& value, bool& into) {
        if (value.is_scalar() && (value.text == "none" || value.text == "false"))
            into = false;
        else
            read(reader, value, into);
    };
    return codec;
}

}  // namespace

const Table<Dns>& dns_table() {
    static const Table<Dns> table = {
        key("min_ttl", &Dns::min_ttl, duration(100ms, 24h, None::refused),
            "an answer is used at least this long; also the first pause after a failure"),
        key("max_ttl", &Dns::max_ttl, duration(100ms, 24h, None::refused), "and at most this long"),
        key("servers", &Dns::servers, list(dns_server(), "[ \"10.0.0.2:53\" ]"),
            "name servers, each an IP address; port 53 unless given", "those of the system"),
    };
    return table;
}

const Table<Listener>& listener_table() {
    static const Table<Listener> table = {
        key("name", &Listener::name, text("name", "plain", wrong_label),
            "name for match.listener and the log", "the address"),
        required(
            address_key("address", &Listener::address, &Listener::bind,
                        "IP address and port; :8080 is 0.0.0.0:8080; port 0 takes a free one")),
        key("proxy_protocol", &Listener::proxy_protocol, off_or("required"),
            "required: each connection begins with a PROXY header (v1 or v2); only for peers in "
            "trusted_proxies"),
        key("https_redirect", &Listener::https_redirect, https_redirect(),
            "send plain requests to https://, at port 443 or this one, with 308"),
        key("tls", &Listener::tls,
            section_or_off(listener_tls_table(),
                           "{ certificates: [ { cert: site.crt, key: site.key } ] }"),
            "TLS on this port", "off"),
    };
    return table;
}

const Table<Admin>& admin_table() {
    static const Table<Admin> table = {
        address_key("address", &Admin::address, &Admin::bind,
                    "where the admin API listens; beyond loopback it needs a token_file"),
        key("token_file", &Admin::token_file, text("file", "/run/scrollgate/token", wrong_file),
            "file of the bearer token for changes; made at start if missing",
            "/run/scrollgate/token for root, else $XDG_RUNTIME_DIR/scrollgate/token"),
        key("probes", &Admin::probes, probes_address(),
            "an extra address for /healthz, /readyz and /metrics alone"),
    };
    return table;
}

const Table<Self>& self_table() {
    static const Table<Self> table = {
        key("provider", &Self::provider,
            choice<std::string>(
                {{"aws", "aws"}, {"gcp", "gcp"}, {"azure", "azure"}, {"other", "other"}}),
            "the cloud in which this proxy runs", "unknown"),
        key("region", &Self::region, text("name", "us-east-1", wrong_label), "its region"),
        key("zone", &Self::zone, text("name", "us-east-1a", wrong_label), "its zone"),
        key("node", &Self::node, node_name(),
            "this node's name in Via; random: new at every start"),
    };
    return table;
}

const Table<AccessLog>& access_log_table() {
    static const Table<AccessLog> table = {
        key("path", &AccessLog::path, text("file", "/var/log/scrollgate/access.log", wrong_file),
            "file to append to; - is standard output; reopened on SIGUSR1"),
        key("format", &AccessLog::format,
            choice<AccessLog::Format>({{"json", AccessLog::Format::json},
                                       {"combined", AccessLog::Format::combined},
                                       {"off", AccessLog::Format::off}}),
            "one line per request; combined is the Apache and nginx format"),
    };
    return table;
}

const Table<Limits>& limits_table() {
    constexpr std::uint64_t most = 1'000'000'000;
    static const Table<Limits> table = {
        key("header_bytes", &Limits::header_bytes,
            size(1 * limits::KiB, limits::header_bytes_max, None::refused),
            "longest head of a request or response; 431, 502"),
        key("headers", &Limits::headers, count<std::size_t>(10, limits::headers_max),
            "most header fields in one head; 431, 502"),
        key("uri_bytes", &Limits::uri_bytes, size(64, limits::uri_bytes_max, None::refused),
            "longest request target; 414"),
        key("body", &Limits::body, size(0, 1ULL << 50, None::allowed), "longest request body; 413"),
        key("connections", &Limits::connections,
            count<std::uint64_t>(1, most, {{"auto", 0}, {"none", limits::unlimited}}),
            "most client connections; auto: what the descriptor limit allows less a reserve"),
        key("connections_per_ip", &Limits::connections_per_ip,
            count<std::uint64_t>(1, most, {{"none", limits::unlimited}}),
            "most connections of one client address"),
    };
    return table;
}

const Table<Timeouts>& timeouts_table() {
    static const Table<Timeouts> table = {
        key("client_header", &Timeouts::client_header, wait(),
            "from a request's first byte to the end of its head; 408"),
        key("handshake", &Timeouts::handshake, duration(100ms, 5min, None::refused),
            "from the accept to the end of PROXY header and TLS handshake; the connection is "
            "closed"),
        key("client_idle", &Timeouts::client_idle, wait(),
            "how long a client connection may wait for its next request"),
        key("client_body", &Timeouts::client_body, wait(), Wait::client_body),
        key("client_write", &Timeouts::client_write, wait(), Wait::client_write),
        key("connect", &Timeouts::connect, wait(), Wait::connect),
        key("upstream_response", &Timeouts::upstream_response, wait(), Wait::upstream_response),
        key("upstream_body", &Timeouts::upstream_body, wait(), Wait::upstream_body),
        key("upstream_idle", &Timeouts::upstream_idle, wait(),
            "how long an idle upstream connection is kept for reuse"),
        key("request", &Timeouts::request, wait(), Wait::request),
        key("tunnel_idle", &Timeouts::tunnel_idle, wait(365 * 24h), Wait::tunnel_idle),
        key("drain_delay", &Timeouts::drain_delay, duration(0s, 1h, None::refused),
            "after SIGTERM: still accepting, but not ready, so that balancers notice"),
        key("drain", &Timeouts::drain, duration(0s, 24h, None::allowed),
            "after that: how long requests under way may take to finish"),
    };
    return table;
}

const Table<RouteTimeouts>& route_timeouts_table() {
    using T = RouteTimeouts;
    const auto of = [](const char* name, std::optional<Duration> T::*member, const char* doc,
                       Duration most = 24h) {
        return key(name, member, optional(wait(most)), doc, fmt::format("timeouts.{}", name));
    };
    static const Table<T> table = {
        of("client_body", &T::client_body, Wait::client_body),
        of("client_write", &T::client_write, Wait::client_write),
        of("connect", &T::connect, Wait::connect),
        of("upstream_response", &T::upstream_response, Wait::upstream_response),
        of("upstream_body", &T::upstream_body, Wait::upstream_body),
        of("request", &T::request, Wait::request),
        of("tunnel_idle", &T::tunnel_idle, Wait::tunnel_idle, 365 * 24h),
    };
    return table;
}

}  // namespace scrollgate::config
