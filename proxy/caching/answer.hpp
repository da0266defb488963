// The end of an answer of a route with a cache: its head and body on their way to the client, the
// same whether the body is stored or still being filled. One worker.
#pragma once

#include <string_view>

#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

struct Exchange;

/// Sends x.response, behind the serialised `lines`, with `body`. Errors: those of the relay, and
/// why `x` was cancelled. The response must not have been committed.
[[nodiscard]] Task<Result<void>> send_answer(Exchange& x, BodySource& body, std::string_view lines);

/// The head alone: for HEAD and 304.
[[nodiscard]] Task<Result<void>> send_head(Exchange& x, std::string_view lines);

}  // namespace scrollgate
