// How many connections there may be, in all and per address.
#include "proxy/server/admission.hpp"

#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate;

namespace {

SocketAddress peer(const char* ip, std::uint16_t port = 1000) {
    return *SocketAddress::from_ip(ip, port);
}

/// How many are counted. Ends all limits.
std::size_t counted(Admission& admission) {
    for (std::size_t count = 0;; ++count) {
        admission.set_limits(count + 1, limits::unlimited);
        if (!admission.enter(SocketAddress())) continue;
        admission.leave(SocketAddress());
        return count;
    }
}

}  // namespace

TEST_CASE("without limits everybody enters") {
    Admission admission;
    for (int i = 0; i < 1'000; ++i)
        CHECK(admission.enter(peer("192.0.2.1")));
    CHECK(counted(admission) == 1'000);
}

TEST_CASE("beyond the limit nobody enters until somebody leaves") {
    Admission admission;
    admission.set_limits(2, limits::unlimited);
    CHECK(admission.enter(peer("192.0.2.1")));
    CHECK(admission.enter(peer("192.0.2.2")));
    CHECK_FALSE(admission.enter(peer("192.0.2.3")));
    admission.leave(peer("192.0.2.1"));
    CHECK(admission.enter(peer("192.0.2.3")));
    admission.set_limits(3, limits::unlimited);
    CHECK(admission.enter(peer("192.0.2.4")));
    CHECK(counted(admission) == 3);
}

TEST_CASE("each address has its own limit, whatever the port") {
    Admission admission;
    admission.set_limits(limits::unlimited, 2);
    CHECK(admission.enter(peer("192.0.2.1", 1)));
    CHECK(admission.enter(peer("192.0.2.1", 2)));
    CHECK_FALSE(admission.enter(peer("192.0.2.1", 3)));
    CHECK(admission.enter(peer("192.0.2.2", 1)));
    CHECK(admission.enter(peer("2001:db8::1", 1)));
    admission.leave(peer("192.0.2.1", 1));
    CHECK(admission.enter(peer("192.0.2.1", 4)));
    CHECK(counted(admission) == 4);
}

TEST_CASE("a connection that was turned away by its address is not counted") {
    Admission admission;
    admission.set_limits(3, 1);
    CHECK(admission.enter(peer("192.0.2.1")));
    for (int i = 0; i < 10; ++i)
        CHECK_FALSE(admission.enter(peer("192.0.2.1")));
    CHECK(admission.enter(peer("192.0.2.2")));
    CHECK(admission.enter(peer("192.0.2.3")));
    CHECK(counted(admission) == 3);
}

TEST_CASE("connections that were there before a limit came leave without harm") {
    Admission admission;
    CHECK(admission.enter(peer("192.0.2.1", 1)));
    CHECK(admission.enter(peer("192.0.2.1", 2)));
    admission.set_limits(10, 1);
    CHECK(admission.enter(peer("192.0.2.1", 3)));  // the older ones are not known by address
    for (std::uint16_t port = 1; port <= 3; ++port)
        admission.leave(peer("192.0.2.1", port));
    CHECK(admission.enter(peer("192.0.2.1", 4)));
    CHECK_FALSE(admission.enter(peer("192.0.2.1", 5)));
    CHECK(counted(admission) == 1);
}

TEST_CASE("workers together never exceed a limit") {
    Admission admission;
    admission.set_limits(100, 60);
    std::atomic<int> inside{0}, most{0};
    std::vector<std::thread> workers;
    for (int w = 0; w < 4; ++w) {
        workers.emplace_back([&, w] {
            const SocketAddress from = peer(w % 2 == 0 ? "192.0.2.1" : "192.0.2.2");
            for (int i = 0; i < 20'000; ++i) {
                if (!admission.enter(from)) continue;
                const int now = ++inside;
                int seen = most;
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                --inside;
                admission.leave(from);
            }
        });
    }
    for (std::thread& worker : workers)
        worker.join();
    CHECK(counted(admission) == 0);
    CHECK(most <= 100);
    CHECK(most > 0);
}
