// The words for each CacheReason. They are part of the interface (Cache-Status, log, metrics).
#include "cache/reason.hpp"

#include <array>
#include <cstddef>

namespace scrollgate {
namespace {

struct Words {
    CacheReason reason;
    std::string_view token;
    std::string_view sentence;
};

/// In the order of CacheReason.
constexpr std::array table{
    Words{CacheReason::none, "none", "nothing speaks against it"},
    Words{CacheReason::method, "method", "only GET and HEAD are answered from the cache"},
    Words{CacheReason::request_body, "request-body", "the request has a body"},
    Words{CacheReason::upgrade, "upgrade", "the request asks for another protocol"},
    Words{CacheReason::bad_authority, "bad-authority",
          "the request names no host to tell objects apart by"},
    Words{CacheReason::key_too_long, "key-too-long", "the key is longer than the cache takes"},
    Words{CacheReason::hit_for_miss, "hit-for-miss",
          "a moment ago the answer for this key could not be shared"},
    Words{CacheReason::absent, "absent", "nothing is stored for this key"},
    Words{CacheReason::other_variant, "other-variant",
          "what is stored is for requests with other fields (Vary)"},
    Words{CacheReason::expired, "expired", "what is stored is stale"},
    Words{CacheReason::must_validate, "must-validate",
          "the response said no-cache: it is validated before each use"},
    Words{CacheReason::request_no_cache, "request-no-cache",
          "the request wants an answer from the origin"},
    Words{CacheReason::request_max_age, "request-max-age",
          "the request wants a younger answer, or one that stays fresh longer"},
    Words{CacheReason::request_no_store, "request-no-store",
          "the request forbids storing its answer"},
    Words{CacheReason::purged, "purged", "it was softly purged: it is validated first"},
    Words{CacheReason::status, "status", "answers with this status are not stored"},
    Words{CacheReason::no_store, "no-store", "the response said no-store"},
    Words{CacheReason::private_, "private", "the response said private"},
    Words{CacheReason::authorization, "authorization",
          "the request had Authorization, and nothing permits sharing the answer"},
    Words{CacheReason::set_cookie, "set-cookie", "the response sets a cookie"},
    Words{CacheReason::cookie, "cookie",
          "the request had a cookie, and the response gave no lifetime"},
    Words{CacheReason::vary_all, "vary-all",
          "Vary does not tell which requests the response is for"},
    Words{CacheReason::vary_too_much, "vary-too-much", "Vary names too many fields"},
    Words{CacheReason::no_freshness, "no-freshness",
          "the response gave no lifetime, and the route has no default_ttl"},
    Words{CacheReason::already_stale, "already-stale",
          "the response was stale on arrival and cannot be validated"},
    Words{CacheReason::partial, "partial", "the response is a part of a whole"},
    Words{CacheReason::too_large, "too-large", "the response is larger than the cache takes"},
    Words{CacheReason::too_many_tags, "too-many-tags",
          "the response has more tags, or a longer one, than the cache takes"},
    Words{CacheReason::malformed, "malformed",
          "what decides about storing in the response cannot be read"},
    Words{CacheReason::truncated, "truncated", "the response ended before its end"},
    Words{CacheReason::no_memory, "no-memory", "the cache had no room"},
    Words{CacheReason::overtaken, "overtaken",
          "a purge or an unsafe request came while it was fetched"},
    Words{CacheReason::too_many_fills, "too-many-fills",
          "too many answers were being fetched into the cache"},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (static_cast<std::size_t>(table[i].reason) != i) return false;
    }
    return static_cast<std::size_t>(CacheReason::too_many_fills) + 1 == table.size();
}
static_assert(in_order());

}  // namespace

std::string_view token(CacheReason reason) noexcept {
    return table[static_cast<std::size_t>(reason)].token;
}

std::string_view sentence(CacheReason reason) noexcept {
    return table[static_cast<std::size_t>(reason)].sentence;
}

}  // namespace scrollgate
