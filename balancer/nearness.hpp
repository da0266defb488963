// How far an endpoint is from this proxy, in steps that cloud providers name.
#pragma once

#include <cstdint>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"

namespace scrollgate {

inline constexpr std::uint8_t farthest = 3;

/// 0: same zone, 1: same region, 2: same provider, 3: elsewhere, or `self` says nothing. Regions
/// are names of a provider, and zones of a region: equal names elsewhere mean nothing. Only a
/// provider that `self` leaves out is taken for the endpoint's.
[[nodiscard]] inline std::uint8_t distance(const config::Self& self,
                                           const Endpoint& endpoint) noexcept {
    if (!self.provider.empty() && self.provider != endpoint.provider) return farthest;
    if (self.region.empty() || self.region != endpoint.region) {
        return self.provider.empty() ? farthest : 2;
    }
    return self.zone.empty() || self.zone != endpoint.zone ? 1 : 0;
}

}  // namespace scrollgate
