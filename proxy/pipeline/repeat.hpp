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

/// The route asks for another answer than one with `status` (failover.retry_on).
[[nodiscard]] bool asks_elsewhere(const Exchange& x, std::uint16_t status) noexcept;

}  // namespace scrollgate
