// The sections of the file, each a table of keys. Built on first use, never changed; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/model.hpp"
#include "config/schema.hpp"

namespace scrollgate::config {

[[nodiscard]] const Table<Config>& root_table();
/// The whole schema as facts; the root itself has no name.
[[nodiscard]] const KeyInfo& root_info();

[[nodiscard]] const Table<Listener>& listener_table();
[[nodiscard]] const Table<TlsServerOptions>& listener_tls_table();
[[nodiscard]] const Table<PoolTls>& pool_tls_table();
[[nodiscard]] const Table<Hsts>& hsts_table();
/// off, on (port 443) or a port.
[[nodiscard]] Codec<std::uint16_t> https_redirect();
[[nodiscard]] const Table<Admin>& admin_table();
[[nodiscard]] const Table<Self>& self_table();
[[nodiscard]] const Table<Dns>& dns_table();
[[nodiscard]] const Table<AccessLog>& access_log_table();
[[nodiscard]] const Table<Limits>& limits_table();
[[nodiscard]] const Table<Timeouts>& timeouts_table();
[[nodiscard]] const Table<RouteTimeouts>& route_timeouts_table();
[[nodiscard]] const Table<Pool>& pool_table();
/// The part of pool_table() about health and capacity.
[[nodiscard]] std::vector<Key<Pool>> health_keys();
/// Whom health asks and tells besides the endpoints.
[[nodiscard]] Codec<std::vector<Dependency>> dependencies();
[[nodiscard]] Codec<std::optional<Webhook>> webhook();
[[nodiscard]] const Table<Match>& match_table();
[[nodiscard]] const Table<Route>& route_table();
[[nodiscard]] const Table<HeaderRules>& request_headers_table();
[[nodiscard]] const Table<HeaderRules>& response_headers_table();

// The parts of route_table() about picking and failing over.
[[nodiscard]] Codec<std::vector<RoutePool>> route_pools();
[[nodiscard]] Codec<Route::Balance> balance();
[[nodiscard]] Codec<Route::Nearness> nearness();
[[nodiscard]] Codec<HashKey> hash();
[[nodiscard]] Codec<std::optional<Sticky>> sticky();
[[nodiscard]] Codec<Failover> failover();
/// A switch that is written as on or off.
[[nodiscard]] Codec<bool> on_or_off();

/// The response cache of the process.
[[nodiscard]] Codec<Cache> cache();
/// Its second tier.
[[nodiscard]] Codec<std::optional<Redis>> redis();
/// And a route's share in it.
[[nodiscard]] Codec<RouteCache> route_cache();

/// `codec`, a list, for at most `most` `things`; what was read is then shown to
/// `also(reader, value, into)`, which may change it or report what else is wrong.
template <class V, class Also>
[[nodiscard]] Codec<std::vector<V>> bounded(Codec<std::vector<V>> codec, std::size_t most,
                                            std::string things, Also also) {
    codec.read = [read = std::move(codec.read), most, things = std::move(things), also](
                     Reader& reader, const Value& value, std::vector<V>& into) {
        if (value.items.size() > most)
            return reader.error(value, fmt::format("more than {} {}", most, things));
        read(reader, value, into);
        also(reader, value, into);
    };
    return codec;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Objection = std::string (*)(const std::string&);
/// A map of names to values; `values` also takes several for one name if `lists` is set. Values
/// under names that sound like credentials are written as "(hidden)".
[[nodiscard]] Codec<Pairs> pairs(std::string type, Objection wrong_name, bool lists);

// Objections: what is wrong with a text, or nothing.
[[nodiscard]] std::string wrong_field_name(const std::string& name);
/// As a field that requests are looked at for.
[[nodiscard]] std::string wrong_request_field(const std::string& name);
[[nodiscard]] std::string wrong_query_name(const std::string& name);
[[nodiscard]] std::string wrong_path(const std::string& path);
[[nodiscard]] std::string wrong_regex(const std::string& pattern);

/// A match in words: "host=*.example.com path_prefix=/metadata"; "any" if it matches everything.
[[nodiscard]] std::string in_words(const Match& match);

}  // namespace scrollgate::config
