// KeyPlace: where in the store a key is, and what purges compare with it.
//
// What was asked for without chosen headers or cookies is placed by authority and target alone, so
// that all partitions, schemes and variants of a URL stand in one chain: a purge by URL finds them
// without looking at anything else. Keys with chosen lines are placed by their whole text, because
// there may be one per user. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scrollgate {

struct KeyPlace {
    std::string_view scheme;
    std::string_view url;  ///< authority, a line feed, target
    bool chosen = false;   ///< has lines of headers or cookies
    std::uint64_t hash = 0;
};

/// Of a key's text (CacheKey); a text of another form is its own url.
[[nodiscard]] KeyPlace place_of(std::string_view key) noexcept;
/// KeyPlace::chosen alone.
[[nodiscard]] bool has_chosen_lines(std::string_view key) noexcept;
/// KeyPlace::url for what a purge says: "a.example/x?y". Without a slash: as a prefix it is
/// all of an authority.
[[nodiscard]] std::string url_of_purge(std::string_view what);

}  // namespace scrollgate
