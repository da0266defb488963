// The way of a request on a route with a cache. cached.cpp reads like the list in ARCHITECTURE.md.
#pragma once

#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Answers `x`, whose target is prepared and whose fields are as the client sent them: from what is
/// stored, from a fill, or past the cache. The Error is to be answered as forward()'s.
[[nodiscard]] Task<Result<void>> serve_cached(Exchange& x);

/// Forwards `x` past the cache for x.cache.reason, with a body, an upgrade and all.
[[nodiscard]] Task<Result<void>> pass(Exchange& x);

/// How the entry that was found, x.cache.entry, may answer (x.cache.reuse). True: now. What has to
/// be refreshed meanwhile is. False: x.cache.reason says why; a marker may be one.
[[nodiscard]] bool may_answer(Exchange& x, const CacheControl& control);

}  // namespace scrollgate
