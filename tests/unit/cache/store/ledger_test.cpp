// The ledger: what fits, what does not, and several threads at once.
#include "cache/store/ledger.hpp"

#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate;

TEST_CASE("a ledger refuses what does not fit, to the byte") {
    Ledger ledger;
    ledger.set_capacity(100);
    CHECK(ledger.charge(60));
    CHECK_FALSE(ledger.charge(41));
    CHECK(ledger.charge(40));
    CHECK_FALSE(ledger.charge(1));
    ledger.release(60);
    CHECK(ledger.used() == 40);
    CHECK_FALSE(ledger.charge(static_cast<std::size_t>(-1)));
    ledger.set_capacity(10);
    CHECK_FALSE(ledger.charge(1));
}

TEST_CASE("threads never charge more than the capacity together") {
    Ledger ledger;
    ledger.set_capacity(1000);
    std::atomic<int> charged = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n)
                charged += ledger.charge(3) ? 1 : 0;
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(charged == 333);
    CHECK(ledger.used() == 999);
}
