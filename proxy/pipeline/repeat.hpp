// What may be sent more than once (RFC 9110 section 9.2.2), one after the other or side by side.
#pragma once

#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// The request may be sent again although an earlier attempt may have had its effect: its method is
/// idempotent, or the route trusts its Idempotency-Key (failover.idempotency_key).
[[nodiscard]] bool may_repeat(const Exchange& x) noexcept;

/// The request may be sent to two endpoints at a time: it is safe, without a body, a stream's end
/// or credentials (an origin may count or lock per user), and the route allows it.
[[nodiscard]] bool may_hedge(const Exchange& x) noexcept;

/// The request's body, as far as it was taken from the client, can be given once more.
[[nodiscard]] bool has_body_again(const Exchange& x) noexcept;

/// The request's body is to be kept while it is sent: the request may have to be sent again, and
/// its body may fit in failover.replay.
[[nodiscard]] bool keeps_body(const Exchange& x) noexcept;

/// The route asks for another answer than one with this head (failover.retry_on, retry_grpc).
[[nodiscard]] bool asks_elsewhere(const Exchange& x, const ResponseHead& head) noexcept;

/// … and the request may be sent again for it: what is to be repeated after an answer, or a gRPC
/// call that was turned down.
[[nodiscard]] bool may_ask_elsewhere(const Exchange& x, const ResponseHead& head) noexcept;

}  // namespace scrollgate
