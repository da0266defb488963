// Counts this binary's allocations: operator new is replaced for all of the balancer's tests.
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "balancer/lease.hpp"
#include "balancer/levels.hpp"
#include "tests/unit/balancer/targets.hpp"

namespace {
thread_local std::size_t allocations = 0;
}

// Not inlined: the compiler would pair malloc with operator delete and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
// What the standard library asks for its temporary buffers.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

using namespace scrollgate;

TEST_CASE("picks, also after a change of a verdict, and leases allocate nothing") {
    for (const test::Balance balance : test::policies) {
        const auto set = test::set_of("a", std::vector<std::uint32_t>(1000, 1));
        const auto split = test::set_of("b", {1, 1});
        config::Route route;
        route.pools = {{"a", 1, 0, {}}, {"b", 1, 0, 0.1}};
        route.balance = balance;
        RouteBalancer balancer(route);
        balancer.update({{"a", set}, {"b", split}});
        FastRng rng(1);

        const std::size_t before = allocations;
        const Endpoint* first = balancer.pick({}, rng);
        for (int i = 0; i < 100; ++i) {
            if (i % 10 == 0) test::set_score(*(*set)[static_cast<std::size_t>(i)], 0.5F);
            const Endpoint* next = balancer.pick({.tried = {&first, 1}, .hash = 1}, rng);
            const auto lease = Lease::try_acquire(*next);
            const auto token = ConnectionToken::try_acquire(*next);
        }
        const std::size_t made = allocations - before;
        CHECK(made == 0);
    }
    CHECK(allocations > 0);  // the counter counts
}
