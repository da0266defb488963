#include "proxy/pipeline/repeat.hpp"

#include <algorithm>

namespace scrollgate {

bool may_repeat(const Exchange& x) noexcept {
    if (is_idempotent(x.request.method)) return true;
    return x.route->route->failover.idempotency_key &&
           x.request.fields.find(Field::idempotency_key) != nullptr;
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

bool asks_elsewhere(const Exchange& x, std::uint16_t status) noexcept {
    const std::vector<std::uint16_t>& codes = x.route->route->failover.retry_on;
    return std::find(codes.begin(), codes.end(), status) != codes.end();
}

}  // namespace scrollgate
