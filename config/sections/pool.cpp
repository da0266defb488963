// Pools: one cloud's endpoints.
#include <array>

#include "config/sections/tables.hpp"

namespace scrollgate::config {
namespace {

std::string wrong_region(const std::string& text) {
    if (text.size() > 128) return "longer than 128 bytes";
    return {};
}

/// The host and port of "host:port" or "http[s]://host[:port]".
Parsed<HostPort> parse_endpoint(const std::string& text) {
    const auto wrong = [&](std::string_view words) {
        return refuse<HostPort>(fmt::format("{} {}", quoted(text), words));
    };
    std::string_view rest = text;
    const std::size_t scheme_end = rest.find("://");
    const std::string_view scheme =
        scheme_end == rest.npos ? std::string_view() : rest.substr(0, scheme_end);
    if (!scheme.empty() && scheme != "http" && scheme != "https")
        return wrong(fmt::format(
            "has an unknown scheme {}; write host:port, http://host:port or https://host:port",
            quoted(scheme)));
    if (!scheme.empty()) {
        rest.remove_prefix(scheme_end + 3);
        if (rest.ends_with('/')) rest.remove_suffix(1);
    }
    if (rest.find('@') != rest.npos) return wrong("holds a user name; that is not possible here");
    if (const std::size_t slash = rest.find_first_of("/?#"); slash != rest.npos)
        return wrong(
            fmt::format("holds a path; an endpoint is only {} (for paths see a route's "
                        "rewrite)",
                        rest.substr(0, slash)));
    auto parsed = parse_host_port(rest);
    if (!parsed || parsed->host.empty()) {
        if (SocketAddress::from_ip(rest, 0))
            return wrong(fmt::format("needs brackets and a port; write \"[{}]:8080\"", rest));
        return wrong("is not an endpoint; write host:port, such as 10.0.1.10:8080");
    }
    if (rest.ends_with(":0"))
        return wrong("has port 0; write the port that the service listens on");
    if (parsed->port == 0 && scheme.empty())
        return wrong(fmt::format("has no port; write for example {}:8080", rest));
    if (parsed->port == 0) parsed->port = scheme == "https" ? 443 : 80;
    return {std::move(*parsed), {}};
}

void read_address(Reader& reader, const Value& value, Endpoint& into) {
    const auto given = reader.scalar(value, "10.0.1.10:8080");
    if (!given) return;
    const auto parsed = parse_endpoint(*given);
    if (!parsed.value) return reader.error(value, parsed.wrong);
    into.address = *given;
    into.host = parsed.value->host;
    into.port = parsed.value->port;
    into.tls = given->starts_with("https://");
}

const Table<Endpoint>& endpoint_table() {
    static const Table<Endpoint> table = [] {
        auto address =
            required(key("address", &Endpoint::address, text("host:port", "10.0.1.10:8080"),
                         "IP address or name with a port; http:// or https:// (TLS) may stand "
                         "before it; a name stands for all its addresses"));
        address.read = read_address;
        return Table<Endpoint>{
            std::move(address),
            key("weight", &Endpoint::weight, count<std::uint32_t>(1, 1000),
                "share of requests relative to the pool's other endpoints"),
            key("zone", &Endpoint::zone, text("name", "us-east-1a", wrong_region),
                "zone within the region"),
        };
    }();
    return table;
}

/// An endpoint is an address, or a map with an address and more.
Codec<Endpoint> endpoint() {
    Codec<Endpoint> codec = section(endpoint_table(), "10.0.1.10:8080");
    codec.type = "addresses or maps";
    codec.read = [whole = codec.read](Reader& reader, const Value& value, Endpoint& into) {
        if (value.is_map())
            whole(reader, value, into);
        else
            read_address(reader, value, into);
    };
    return codec;
}

constexpr std::uint64_t most_at_once = 1'000'000;

Codec<std::uint64_t> at_once() {
    return count<std::uint64_t>(1, most_at_once, {{"none", limits::unlimited}});
}

const Table<EndpointLimits>& endpoint_limits_table() {
    static const Table<EndpointLimits> table = {
        key("connections", &EndpointLimits::connections, at_once(),
            "most connections to one endpoint, over all workers"),
        key("in_flight", &EndpointLimits::in_flight, at_once(),
            "most requests under way to one endpoint, over all workers"),
    };
    return table;
}

const Table<PoolLimits>& pool_limits_table() {
    static const Table<PoolLimits> table = {
        key("connections", &PoolLimits::connections, at_once(),
            "most connections to the pool, over all workers"),
        key("in_flight", &PoolLimits::in_flight, at_once(),
            "most requests under way to the pool, over all workers"),
        key("pending", &PoolLimits::pending, count<std::uint64_t>(0, most_at_once),
            "most requests that wait for room, each for a second at most; beyond it 503"),
        key("endpoint", &PoolLimits::endpoint,
            section(endpoint_limits_table(), "{ connections: 100 }"),
            "bounds for each of the pool's endpoints"),
    };
    return table;
}

/// `host` fills two members: the mode and, for a literal, the text.
Key<Pool> host_key() {
    Key<Pool> made =
        key("host", &Pool::host_literal, text("client | endpoint | a host", "client"),
            "Host sent upstream: as received, the endpoint's own name, or this text", "client");
    made.read = [](Reader& reader, const Value& value, Pool& into) {
        const auto given = reader.scalar(value, "client");
        if (!given) return;
        into.host_literal.clear();
        if (*given == "client" || *given == "endpoint") {
            into.host_mode = *given == "client" ? Pool::HostMode::client : Pool::HostMode::endpoint;
            return;
        }
        const auto parsed = parse_host_port(*given);
        if (!parsed || parsed->host.empty())
            return reader.error(
                value, fmt::format("{} is not a host; write client, endpoint or a name such as "
                                   "app.example{}",
                                   quoted(*given), did_you_mean(*given, {"client", "endpoint"})));
        into.host_mode = Pool::HostMode::literal;
        into.host_literal = *given;
    };
    made.write = [](const Pool& pool) {
        if (pool.host_mode == Pool::HostMode::client) return make_scalar("client");
        if (pool.host_mode == Pool::HostMode::endpoint) return make_scalar("endpoint");
        return text_value(pool.host_literal);
    };
    return made;
}

/// Who and where; the rest is in health_keys().
Table<Pool> own_keys() {
    return {
        key("provider", &Pool::provider,
            choice<std::string>(
                {{"aws", "aws"}, {"gcp", "gcp"}, {"azure", "azure"}, {"other", "other"}}),
            "the cloud; names the pool in log and metrics"),
        key("region", &Pool::region, text("name", "us-east-1", wrong_region), "the cloud's region"),
        host_key(),
        key("protocol", &Pool::protocol,
            choice<Pool::Protocol>({{"http1", Pool::Protocol::http1},
                                    {"h2", Pool::Protocol::h2},
                                    {"h2c", Pool::Protocol::h2c},
                                    {"auto", Pool::Protocol::automatic}}),
            "the protocol spoken to endpoints: HTTP/1.1; HTTP/2 over TLS; HTTP/2 without TLS; or, "
            "over TLS, what they agree to"),
        required(key("endpoints", &Pool::endpoints, list(endpoint(), "[ \"10.0.1.10:8080\" ]"),
                     "where requests go")),
        key("limits", &Pool::limits, section(pool_limits_table(), "{ connections: 100 }"),
            "bounds for this pool"),
        key("standby", &Pool::standby, list(endpoint(), "[ \"10.0.1.20:8080\" ]"),
            "checked and warm (a connection each), no requests until scaled in", "[]"),
        key("tls", &Pool::tls, section_or_off(pool_tls_table(), "{ server_name: app.example }"),
            "connections to endpoints that are https://", "its keys' defaults"),
        key("proxy_protocol", &Pool::proxy_protocol,
            choice<Pool::ProxyProtocol>({{"off", Pool::ProxyProtocol::off},
                                         {"v1", Pool::ProxyProtocol::v1},
                                         {"v2", Pool::ProxyProtocol::v2}}),
            "a PROXY header with the client's address begins each connection, which then serves "
            "one request"),
    };
}

}  // namespace

const Table<Pool>& pool_table() {
    static const Table<Pool> table = [] {
        Table<Pool> all = own_keys();
        for (Key<Pool>& key : health_keys())
            all.push_back(std::move(key));
        return all;
    }();
    return table;
}

}  // namespace scrollgate::config
