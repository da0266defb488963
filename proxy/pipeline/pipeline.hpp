// The way of a request through the proxy. pipeline.cpp reads like the list in ARCHITECTURE.md.
#pragma once

#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Serves one exchange whose request head has been parsed: guards, routes, forwards, relays. When
/// it finishes, the response has been handed to the sink as far as that was possible, nothing of
/// the exchange is pending, and the record tells how it ended.
[[nodiscard]] Task<void> serve(Exchange& x);

/// Finds the first route that matches `path`, with its limits and times, or gives no_route.
[[nodiscard]] std::optional<Error> find_route(Exchange& x, std::string_view path);

/// Answers with `error` (its status, reason token and request id) in place of a response, or cuts
/// the response short if one has begun. Also for requests that could not be parsed.
[[nodiscard]] Task<void> refuse(Exchange& x, const Error& error);

}  // namespace scrollgate
