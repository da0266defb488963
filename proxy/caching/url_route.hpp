// A URL that an operator names, and where a client's GET for it would lead: listener, route, the
// target that is forwarded, the cache key. So that purge, warm, entries and explain agree with what
// requests do. Control thread and commands; allocates.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cache/key.hpp"
#include "core/header_list.hpp"
#include "proxy/server/snapshot.hpp"

namespace scrollgate {

/// A URL in its one spelling.
struct PlainUrl {
    std::string wrong;      ///< what is wrong with it, for people; empty: the rest is valid
    std::string scheme;     ///< "http", "https"; empty: it names none
    std::string authority;  ///< canonical_authority()
    std::string path;       ///< normalised
    std::string raw_path;   ///< as written, which routes with raw_path forward
    std::string query;      ///< with its '?'; may be empty
};

/// "http://a.example/x?y", or without the scheme: "a.example/x?y".
[[nodiscard]] PlainUrl plain_url(std::string_view url);

/// http, if it names none.
[[nodiscard]] std::string_view scheme_of(const PlainUrl& url) noexcept;

struct UrlRoute {
    std::string listener;                    ///< one on which the route takes it
    const RouteRuntime* route = nullptr;     ///< null: no route takes it
    std::string target;                      ///< forwarded, and what counts of it
    CacheKey key;                            ///< empty text: there is none
    CacheReason reason = CacheReason::none;  ///< why not
};

/// The route of a GET for `url` (valid; http if it names no scheme) with no other fields than Host
/// and `fields`: on the first listener that has one with a cache, else on the first that has any.
[[nodiscard]] UrlRoute route_url(const Snapshot& snapshot, const PlainUrl& url,
                                 const HeaderList& fields = {});

/// Targets under which routes with a cache may have stored what is asked for as `url`: the path as
/// it is and as their rewrites make it, less ignored parameters. Rather too many than too few.
[[nodiscard]] std::vector<std::string> stored_targets(const Snapshot& snapshot,
                                                      const PlainUrl& url);
/// The same, of those routes alone that may take requests for `url`: for what requests cause, which
/// are more than operators. Empty: none of them does.
[[nodiscard]] std::vector<std::string> targets_of(const Snapshot& snapshot, const PlainUrl& url);
/// Adds what is not among them.
void add_once(std::vector<std::string>& all, std::string one);
/// stored_targets() for all URLs that begin with `url`.
[[nodiscard]] std::vector<std::string> stored_prefixes(const Snapshot& snapshot,
                                                       const PlainUrl& url);

/// A URL that clients ask for and that has this key; empty: none that can be told.
[[nodiscard]] std::string url_of_key(const Snapshot& snapshot, std::string_view key);

/// The key of what is set by hand under a bare key; `target` is "/_cache/<key>". Stands apart from
/// all keys of requests, because nothing that came from an origin is looked for there: its
/// partition is empty, which no route's can be. One that is too long is the key of nothing.
void make_hand_key(std::string_view target, CacheKey& into);
[[nodiscard]] bool is_hand_key(std::string_view key) noexcept;
inline constexpr std::string_view hand_prefix = "/_cache/";
/// The route serves what is set by hand at `path` (normalised, before a rewrite), and only that.
[[nodiscard]] bool is_hand_path(const config::RouteCache& route, std::string_view path) noexcept;

/// Where a bare key is served: "/_cache/nft%20one"; empty: it cannot be one.
[[nodiscard]] std::string hand_target(std::string_view bare_key);

}  // namespace scrollgate
