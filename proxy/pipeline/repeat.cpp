#include "proxy/pipeline/repeat.hpp"

#include <algorithm>

#include "proxy/pipeline/grpc_call.hpp"

namespace scrollgate {

bool may_repeat(const Exchange& x) noexcept {
    if (is_idempotent(x.request.method)) return true;
    return x.route->route->failover.idempotency_key &&
           !x.request.fields.value(Field::idempotency_key).empty();
}

bool may_hedge(const Exchange& x) noexcept {
    if (!x.route->route->failover.hedge || !is_safe(x.request.method)) return false;
    if (x.request.body.has_body() || !x.upgrade_protocol.empty()) return false;
    if (x.request.fields.find(Field::authorization) != nullptr) return false;
    return x.request.fields.value(Field::accept).find("text/event-stream") ==
           std::string_view::npos;
}

bool has_body_again(const Exchange& x) noexcept {
    return !x.request.body.has_body() || x.replay.whole();
}

bool keeps_body(const Exchange& x) noexcept {
    const config::Failover& failover = x.route->route->failover;
    const BodyFraming& body = x.request.body;
    if (!body.has_body() || failover.replay == 0) return false;
    if (body.kind == BodyFraming::Kind::length && body.length > failover.replay) return false;
    // Over HTTP/2 an origin may refuse what then can be repeated whatever it is.
    return may_repeat(x) || x.route->may_be_refused || (x.grpc && !failover.retry_grpc.empty());
}

bool asks_elsewhere(const Exchange& x, const ResponseHead& head) noexcept {
    const std::vector<std::uint16_t>& codes = x.route->route->failover.retry_on;
    return std::find(codes.begin(), codes.end(), head.status) != codes.end() ||
           is_turned_down(x, head);
}

bool may_ask_elsewhere(const Exchange& x, const ResponseHead& head) noexcept {
    return asks_elsewhere(x, head) && (may_repeat(x) || is_turned_down(x, head)) &&
           has_body_again(x) && x.upgrade_protocol.empty();
}

}  // namespace scrollgate
