// CacheKey: what one stored object is looked up by (RFC 9111 section 2, "cache key").
//
// Its text consists of lines, because no part of a parsed request can hold a line feed: partition,
// scheme, authority, target, then one line per chosen header and cookie, and one for another host
// that the origin is told of. So two requests have one key only if every part is equal, whatever
// bytes a client sends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/reason.hpp"
#include "config/model.hpp"
#include "core/arena.hpp"
#include "core/message.hpp"

namespace scrollgate {

struct CacheKey {
    std::string text;
    std::uint64_t hash = 0;  ///< place_of(text).hash, where it is in the store (key_place.hpp)
};

/// The parts of a key's text. Views into it.
struct CacheKeyParts {
    std::string_view partition, scheme, authority, target;
    std::string_view chosen;  ///< the lines of headers and cookies; empty: none
};

/// XXH3 with a seed that is drawn at start, so that nobody can choose collisions. Any thread.
[[nodiscard]] std::uint64_t cache_hash(std::string_view text) noexcept;

/// `authority` in lower case and without the default port of `scheme` or a dot at its end. A view
/// of it where nothing changes, else text in `arena`. Empty: no authority that could be told apart.
[[nodiscard]] std::string_view canonical_authority(std::string_view scheme,
                                                   std::string_view authority, Arena& arena);

/// `target` (path and query) without the query parameters that `rules` ignore: what counts, and
/// what is forwarded when the response may be stored. Names are compared after percent-decoding,
/// as origins do; `;` separates nothing. A view of it where nothing changes, else text in `arena`.
[[nodiscard]] std::string_view counting_target(std::string_view target,
                                               const config::CacheKeyRules& rules, Arena& arena);

/// The key of `request` on a route, into `into`, whose capacity stays. `target` is
/// counting_target(). `told_host`: the X-Forwarded-Host that the origin is told, if a trusted peer
/// said it; one that is another than the request's authority counts. Reasons: none, bad_authority,
/// key_too_long.
[[nodiscard]] CacheReason make_key(const config::RouteCache& route, std::string_view scheme,
                                   const RequestHead& request, std::string_view target,
                                   Arena& arena, CacheKey& into, std::string_view told_host = {});

/// The parts of `text`, which make_key() made.
[[nodiscard]] CacheKeyParts parts_of(std::string_view text) noexcept;

}  // namespace scrollgate
