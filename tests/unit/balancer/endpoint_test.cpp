// State belongs to an identity, not to an Endpoint object.
#include "balancer/endpoint.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;

TEST_CASE("an identity keeps its state as long as somebody holds it") {
    EndpointRegistry registry;
    const auto address = *SocketAddress::from_ip("10.0.0.1", 80);
    auto state = registry.state_of("a", address);
    CHECK(registry.state_of("a", address) == state);
    CHECK(registry.state_of("b", address) != state);
    CHECK(registry.state_of("a", *SocketAddress::from_ip("10.0.0.1", 81)) != state);
    state->requests = 5;
    state.reset();
    CHECK(registry.state_of("a", address)->requests == 0);

    const auto pool = registry.state_of("a");
    CHECK(registry.state_of("a") == pool);
    CHECK(registry.state_of("b") != pool);
}

TEST_CASE("an identity is remembered while thousands of others come and go") {
    EndpointRegistry registry;
    const auto held = registry.state_of("a", *SocketAddress::from_ip("10.0.0.1", 80));
    for (int i = 0; i < 5000; ++i) {
        const std::string ip = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
        CHECK(registry.state_of("a", *SocketAddress::from_ip(ip, 80)) != nullptr);
    }
    CHECK(registry.state_of("a", *SocketAddress::from_ip("10.0.0.1", 80)) == held);
}
