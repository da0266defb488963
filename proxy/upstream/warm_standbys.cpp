#include "proxy/upstream/warm_standbys.hpp"

namespace scrollgate {
namespace {

constexpr Duration look_again = std::chrono::seconds(5);

bool can_be_kept(const Endpoint& endpoint) noexcept {
    return endpoint.protocol == config::Pool::Protocol::http1 &&
           endpoint.proxy_protocol == config::Pool::ProxyProtocol::off;
}

bool stands_by(const Endpoint& endpoint) noexcept {
    return endpoint.state->standing.load(std::memory_order_relaxed) == Standing::standby;
}

}  // namespace

// What is scaled out later is a standby, too: all are remembered, and asked at each look.
void WarmStandbys::watch(const std::vector<std::shared_ptr<const EndpointSet>>& sets,
                         Duration connect, Duration idle) {
    connect_ = connect;
    idle_ = idle;
    standbys_.clear();
    for (const auto& set : sets) {
        bool some = false;
        for (const auto& endpoint : *set)
            some |= endpoint->standby;
        if (!some) continue;
        for (const auto& endpoint : *set)
            if (can_be_kept(*endpoint)) standbys_.push_back(endpoint);
    }
    if (standbys_.empty()) return disarm();
    if (!looking_ && !armed()) loop_.arm(*this, loop_.now());
}

void WarmStandbys::stop() noexcept {
    standbys_.clear();
    disarm();
    if (connecting_ != nullptr) connecting_->fail(ErrorKind::cancelled);
}

void WarmStandbys::expired() noexcept {
    detach(look());
}

Task<void> WarmStandbys::look() {
    looking_ = true;
    const std::vector<std::shared_ptr<const Endpoint>> all = standbys_;
    for (const auto& endpoint : all) {
        if (standbys_.empty()) break;
        if (stands_by(*endpoint) && !upstreams_.has_idle(*endpoint)) co_await warm(*endpoint);
    }
    looking_ = false;
    if (!standbys_.empty()) loop_.arm(*this, loop_.now() + look_again);
}

Task<void> WarmStandbys::warm(const Endpoint& endpoint) {
    UpstreamLease lease = upstreams_.open(endpoint);
    if (!lease) co_return;
    lease->expire_at(Connection::Way::write, loop_.now() + connect_, ErrorKind::connect_timeout);
    connecting_ = &*lease;
    const boost::system::error_code error = co_await lease->connect(endpoint.address);
    connecting_ = nullptr;
    lease->expire_at(Connection::Way::write, never, ErrorKind::cancelled);
    if (!error && !lease->failure()) lease.keep(idle_);
}

}  // namespace scrollgate
