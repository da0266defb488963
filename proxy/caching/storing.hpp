// What is put into the store: a response that a fill has brought, one that was found to be still
// good, and the mark that a key's responses cannot be shared.
#pragma once

#include <string_view>
#include <vector>

#include "cache/fill/fill.hpp"
#include "cache/rules/storing.hpp"
#include "cache/store/store.hpp"
#include "config/model.hpp"

namespace scrollgate {

/// 500, 502, 503, 504: an answer that a stale one may stand in for (RFC 5861 section 4).
[[nodiscard]] constexpr bool is_origin_failure(std::uint16_t status) noexcept {
    return status == 500 || status == 502 || status == 503 || status == 504;
}

/// What the next requests for a key may learn from a response that is not stored.
enum class Remembered : std::uint8_t {
    no,      ///< nothing
    weakly,  ///< waiting for each other is in vain at present, but each may store what it gets
    yes,     ///< the reason probably holds for everybody, so they need not ask by a fill
};
[[nodiscard]] Remembered remembered(CacheReason reason, std::uint16_t status) noexcept;

/// The tags in Surrogate-Key and Cache-Tag, as views, without repetitions; at most one more than
/// limits::cache_tags.
[[nodiscard]] std::vector<std::string_view> tags_of(const HeaderList& fields);
/// More than limits::cache_tags, or a longer one than cache_tag_bytes: a purge by one of those that
/// are left out would not find the response, so it is not stored.
[[nodiscard]] bool has_too_many_tags(const HeaderList& fields);

/// too_large, too_many_tags, or none: by what the head says of its body (at most `max_object`
/// bytes) and its tags.
[[nodiscard]] CacheReason judge_size(const ResponseHead& head, std::uint64_t max_object);

/// Stores what `fill`, whose head is shared, has brought.
[[nodiscard]] CacheStore::Inserted store_filled(CacheStore& store, const Fill& fill, BodyRef body);

/// Stores `entry` anew with `fields` and `freshness`; its body is shared. `vary` are its lines now.
/// With `only_if_there` nothing is stored when `entry` has left the store meanwhile.
[[nodiscard]] CacheStore::Inserted store_refreshed(CacheStore& store, const CacheEntry& entry,
                                                   const HeaderList& fields, std::string_view vary,
                                                   const Freshness& freshness,
                                                   std::uint64_t purge_position,
                                                   bool only_if_there = false);

/// From now on, for limits::hit_for_miss, requests for `key` go past the cache at once. Not where
/// something fresh is stored, or where only other variants are: one client's request, which may be
/// a strange one, hides from nobody what is good. In place of a stale variant it is for that alone.
/// A weak marker that is there stays, unless `kind` is firm (strong, else).
void store_marker(CacheStore& store, const CacheKey& key, const HeaderList& request, Marker kind,
                  std::uint64_t purge_position, TimePoint now);
/// What has come past `marker`, with `status`, is for everybody: from now on, for as long, requests
/// fill again, each for itself. Nothing if the marker has left the store.
void weaken_marker(CacheStore& store, const CacheEntry& marker, std::uint16_t status,
                   std::uint64_t purge_position, TimePoint now);
/// From now on, for as long, requests for `key` do not wait for each other. Not where anything is
/// stored; what can be stored ends it. `status`: of the refusal, from 400 on.
void store_weak_marker(CacheStore& store, const CacheKey& key, const HeaderList& request,
                       std::uint16_t status, std::uint64_t purge_position, TimePoint now);

/// Those of `fields` that are stored. All others but Content-Length are added to `others`, unless
/// it is null. Views of `fields`.
[[nodiscard]] HeaderList stored_fields(const HeaderList& fields, const config::RouteCache& route,
                                       HeaderList* others = nullptr);

}  // namespace scrollgate
