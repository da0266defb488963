// What things are called in Redis (docs/cache-format.md). What belongs together has one hash tag,
// so that it is in one slot of a cluster: a key's responses and its lease; the two streams.
//
// A name is a hash of what it stands for, so it does not grow with it and says nothing of it; who
// reads a value compares what stands in it. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/hash128.hpp"

namespace scrollgate::tier {

/// 32 digits.
[[nodiscard]] std::string hex(const Hash128& hash);

/// "<prefix>:{<hash>}": the response for CacheKey::text, or what its responses vary by.
[[nodiscard]] std::string name_of_key(std::string_view prefix, std::string_view key);
/// The response with these lines of append_vary(), beside `name` of its key.
[[nodiscard]] std::string name_of_variant(std::string_view name, std::string_view lines);
/// Who asks the origin for the key with this name, or for one variant, if its lines are known.
[[nodiscard]] std::string name_of_lease(std::string_view name, std::string_view lines);
[[nodiscard]] std::string name_of_dictionary(std::string_view prefix, const Hash128& dictionary);
/// The names of the responses with a tag, ordered by when they expire.
[[nodiscard]] std::string name_of_tag(std::string_view prefix, std::string_view tag);
/// The streams of purges, and of what nodes say of themselves.
[[nodiscard]] std::string name_of_purges(std::string_view prefix);
[[nodiscard]] std::string name_of_nodes(std::string_view prefix);
/// The channel on which it is said that a lease which somebody waits for was given back. Databases
/// of one server have their channels in common.
[[nodiscard]] std::string name_of_freed(std::string_view prefix, std::uint32_t database);
/// That a purge of another cloud is in the log.
[[nodiscard]] std::string name_of_token(std::string_view prefix, std::string_view token);

}  // namespace scrollgate::tier
