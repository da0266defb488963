// Answers from a stored response: whole, to HEAD, 304, 206 and 416.
#pragma once

#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Answers `x` from x.cache.entry, with what x.cache says about it. Allocates nothing for a plain
/// answer and copies nothing of the body but what has to be unpacked. Errors: overloaded (no
/// buffer, nothing was sent), and those of the sink.
[[nodiscard]] Task<Result<void>> answer_stored(Exchange& x);

}  // namespace scrollgate
