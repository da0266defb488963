// Counts go up and come back on every path, and limits hold, also between threads.
#include "balancer/lease.hpp"

#include <thread>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

static_assert(!std::is_copy_constructible_v<Lease> &&
              !std::is_copy_constructible_v<ConnectionToken>);
static_assert(std::is_nothrow_move_constructible_v<Lease>);

TEST_CASE("a lease counts while it is held and gives back once, on every path") {
    const auto endpoint = make_endpoint("a", 1);
    const auto& in_flight = endpoint->state->in_flight;
    {
        auto lease = Lease::try_acquire(*endpoint);
        REQUIRE(lease);
        CHECK(lease->endpoint() == endpoint.get());
        CHECK(in_flight == 1);
        Lease moved = std::move(*lease);
        CHECK_FALSE(*lease);
        CHECK(in_flight == 1);
        Lease other = *Lease::try_acquire(*endpoint);
        CHECK(in_flight == 2);
        moved = std::move(other);
        CHECK(in_flight == 1);
        moved.release();
        moved.release();
        CHECK(in_flight == 0);
        CHECK_FALSE(moved);
        moved = *Lease::try_acquire(*endpoint);
        CHECK(in_flight == 1);
    }
    CHECK(in_flight == 0);
}

TEST_CASE("a pool's limit on requests in flight holds over all of its endpoints") {
    const auto one = make_endpoint("a", 1);
    const auto two = make_endpoint("a", 2);
    two->pool_state = one->pool_state;
    one->limits.in_flight = two->limits.in_flight = 2;
    auto first = Lease::try_acquire(*one);
    const auto second = Lease::try_acquire(*two);
    CHECK(first);
    CHECK(second);
    CHECK_FALSE(Lease::try_acquire(*one));
    CHECK(one->state->in_flight == 1);
    first->release();
    CHECK(Lease::try_acquire(*two));
    CHECK(one->pool_state->in_flight == 1);
}

TEST_CASE("an endpoint's limit on requests in flight holds beside its pool's, and says so") {
    const auto one = make_endpoint("a", 1), two = make_endpoint("a", 2);
    two->pool_state = one->pool_state;
    for (const auto& endpoint : {one, two}) {
        endpoint->limits.in_flight = 3;
        endpoint->limits.endpoint.in_flight = 2;
    }
    Limit reached = Limit::pool;
    const auto first = Lease::try_acquire(*one, &reached);
    CHECK(reached == Limit::none);
    auto second = Lease::try_acquire(*one);
    CHECK_FALSE(Lease::try_acquire(*one, &reached));
    CHECK(reached == Limit::endpoint);
    CHECK(one->pool_state->in_flight == 2);
    const auto third = Lease::try_acquire(*two);
    CHECK(third);
    CHECK_FALSE(Lease::try_acquire(*two, &reached));
    CHECK(reached == Limit::pool);
    CHECK(two->state->in_flight == 1);
    second->release();
    CHECK(Lease::try_acquire(*two));
}

TEST_CASE("a pool without a limit on requests in flight does not count them") {
    const auto endpoint = make_endpoint("a", 1);
    endpoint->limits.endpoint.in_flight = 2;
    const auto lease = Lease::try_acquire(*endpoint);
    CHECK(endpoint->state->in_flight == 1);
    CHECK(endpoint->pool_state->in_flight == 0);
}

TEST_CASE("a pool's limit on connections holds over all of its endpoints") {
    const auto one = make_endpoint("a", 1), two = make_endpoint("a", 2);
    two->pool_state = one->pool_state;
    one->limits.connections = two->limits.connections = 2;
    Limit reached = Limit::none;
    auto first = ConnectionToken::try_acquire(*one);
    const auto second = ConnectionToken::try_acquire(*two);
    CHECK_FALSE(ConnectionToken::try_acquire(*two, &reached));
    CHECK(reached == Limit::pool);
    CHECK(two->state->connections == 1);
    first->release();
    first->release();
    CHECK(one->pool_state->connections == 1);
    CHECK(ConnectionToken::try_acquire(*two));
    CHECK(one->pool_state->connections == 1);
}

TEST_CASE("a connection token outlives its endpoint and keeps the limit per endpoint") {
    auto endpoint = make_endpoint("a", 1);
    const auto state = endpoint->state;
    endpoint->limits.endpoint.connections = 1;
    auto token = ConnectionToken::try_acquire(*endpoint);
    REQUIRE(token);
    Limit reached = Limit::none;
    CHECK_FALSE(ConnectionToken::try_acquire(*endpoint, &reached));
    CHECK(reached == Limit::endpoint);
    CHECK(state->connections == 1);
    endpoint.reset();
    ConnectionToken moved = std::move(*token);
    CHECK(state->connections == 1);
    moved = ConnectionToken();
    CHECK(state->connections == 0);
}

TEST_CASE("limits are never overshot by workers that race for the last place") {
    const auto one = make_endpoint("a", 1), two = make_endpoint("a", 2);
    two->pool_state = one->pool_state;
    for (const auto& endpoint : {one, two}) {
        endpoint->limits.in_flight = 4;
        endpoint->limits.connections = 3;
        endpoint->limits.endpoint = {.connections = 2, .in_flight = 3};
    }
    const PoolState& pool = *one->pool_state;
    std::atomic<bool> overshot{false};
    std::vector<std::jthread> workers;
    for (int worker = 0; worker < 4; ++worker) {
        workers.emplace_back(
            [&, &mine = worker % 2 == 0 ? *one : *two, &other = worker % 2 == 0 ? *two : *one] {
                for (int i = 0; i < 20'000; ++i) {
                    const auto lease = Lease::try_acquire(mine), second = Lease::try_acquire(other);
                    const auto token = ConnectionToken::try_acquire(mine);
                    const auto more = ConnectionToken::try_acquire(other);
                    if (pool.in_flight > 4 || pool.connections > 3 || mine.state->in_flight > 3 ||
                        mine.state->connections > 2) {
                        overshot = true;
                    }
                }
            });
    }
    workers.clear();
    CHECK_FALSE(overshot);
    CHECK(pool.in_flight == 0);
    CHECK(pool.connections == 0);
    for (const auto& endpoint : {one, two}) {
        CHECK(endpoint->state->in_flight == 0);
        CHECK(endpoint->state->connections == 0);
    }
}
