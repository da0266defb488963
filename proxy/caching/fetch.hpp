// A request that what is stored does not answer: it waits for a fill, its own or another one's.
#pragma once

#include "cache/rules/cache_control.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Joins the fill that is under way for x.cache.key, or leads a new one, and answers `x` from what
/// comes: the response as it streams in, the stored one when it was found to be still good, or
/// stale when the origin fails, is slow, or is known to be down, and that is allowed. A response
/// that cannot be shared is its leader's alone; all others go on past the cache. `control` is the
/// request's. For HEAD, too, the origin is asked by GET.
[[nodiscard]] Task<Result<void>> fetch(Exchange& x, const CacheControl& control);

/// x.cache.entry may answer while the origin is still being asked: after stale_if_slow, or at once
/// because all that could be asked is known to be down.
[[nodiscard]] bool is_answered_early(Exchange& x);

/// x.cache.entry may answer in place of the origin, which gave no answer: `error`. Says so in
/// x.cache.
[[nodiscard]] bool stands_in(Exchange& x, const Error& error);
/// The same of an origin that answers with a status that says so.
[[nodiscard]] bool stands_in(Exchange& x, std::uint16_t status);

}  // namespace scrollgate
