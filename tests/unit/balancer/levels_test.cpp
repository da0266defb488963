// Weights over pools, levels by priority, attempts that never repeat, and who keeps what alive.
#include "balancer/levels.hpp"

#include <map>
#include <set>

#include <doctest/doctest.h>

#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("picks follow the pools' weights exactly under round robin") {
    RouteBalancer balancer(route_over({{"aws", 3, 0, {}}, {"gcp", 1, 0, {}}}));
    balancer.update({{"aws", set_of("aws", {1, 1, 1})}, {"gcp", set_of("gcp", {1, 3})}});
    FastRng rng(1);
    std::map<std::string, int> counts;
    for (int i = 0; i < 1600; ++i) {
        const Endpoint* endpoint = balancer.pick({}, rng);
        ++counts[endpoint->pool + "/" + std::to_string(endpoint->port)];
    }
    CHECK(counts ==
          std::map<std::string, int>{
              {"aws/1", 400}, {"aws/2", 400}, {"aws/3", 400}, {"gcp/1", 100}, {"gcp/2", 300}});
}

TEST_CASE("attempts use a level up before the next, without repeating, then end") {
    for (const Balance balance : policies) {
        RouteBalancer balancer(route_over({{"far", 1, 1, {}}, {"near", 1, 0, {}}}, balance));
        balancer.update({{"near", set_of("near", {1, 1})}, {"far", set_of("far", {1})}});
        FastRng rng(2);
        for (int round = 0; round < 50; ++round) {
            std::vector<const Endpoint*> tried;
            for (const char* pool : {"near", "near", "far"}) {
                const Endpoint* endpoint = balancer.pick({.tried = tried}, rng);
                REQUIRE(endpoint != nullptr);
                CHECK(endpoint->pool == pool);
                for (const Endpoint* earlier : tried)
                    CHECK(earlier != endpoint);
                tried.push_back(endpoint);
            }
            CHECK(balancer.pick({.tried = tried}, rng) == nullptr);
        }
    }
}

TEST_CASE("without targets there is nothing to pick") {
    FastRng rng(1);
    RouteBalancer balancer(route_over({{"a", 1, 0, {}}}));
    CHECK(balancer.pick({}, rng) == nullptr);
    CHECK(balancer.targets()->empty());
    balancer.update({{"a", set_of("a", {})}});
    CHECK(balancer.pick({}, rng) == nullptr);
    RouteBalancer without_pools(route_over({}));
    CHECK(without_pools.pick({}, rng) == nullptr);
}

TEST_CASE("an endpoint tried before an update is still known as tried after it") {
    RouteBalancer balancer(route_over({{"a", 1, 0, {}}}));
    const auto before = set_of("a", {1, 1});
    balancer.update({{"a", before}});
    FastRng rng(1);
    const auto held = balancer.targets();
    const Endpoint* first = balancer.pick({}, rng);

    auto after = std::make_shared<EndpointSet>();  // the same identities as new objects
    for (const auto& endpoint : *before)
        after->push_back(std::make_shared<Endpoint>(*endpoint));
    balancer.update({{"a", after}});
    std::vector<const Endpoint*> tried{first};
    const Endpoint* second = balancer.pick({.tried = tried}, rng);
    REQUIRE(second != nullptr);
    CHECK(second->port != first->port);
    tried.push_back(second);
    CHECK(balancer.pick({.tried = tried}, rng) == nullptr);
}

TEST_CASE("what was picked lives as long as the targets are held") {
    RouteBalancer balancer(route_over({{"a", 1, 0, {}}}));
    balancer.update({{"a", set_of("a", {1})}});
    FastRng rng(1);
    auto held = balancer.targets();
    const Endpoint* endpoint = balancer.pick({}, rng);
    const std::weak_ptr<EndpointState> state = endpoint->state;
    balancer.update({});
    CHECK(endpoint->pool == "a");
    CHECK_FALSE(state.expired());
    held.reset();
    balancer.update({});
    // The round robin's account of the row before is gone, too.
    CHECK(state.expired());
}

TEST_CASE("a change of a verdict is seen at the next pick, and only by its epoch") {
    RouteBalancer balancer(route_over({{"a", 1, 0, {}}}));
    const auto set = set_of("a", {1, 1});
    balancer.update({{"a", set}});
    FastRng rng(1);
    set_standing(*(*set)[0], Standing::ejected);
    for (int i = 0; i < 10; ++i)
        CHECK(balancer.pick({}, rng)->port == 2);
    set_standing(*(*set)[0], Standing::in);
    set_standing(*(*set)[1], Standing::drained);
    for (int i = 0; i < 10; ++i)
        CHECK(balancer.pick({}, rng)->port == 1);
    set_standing(*(*set)[0], Standing::failed);
    CHECK(balancer.pick({}, rng) == nullptr);
    CHECK_FALSE(balancer.panicking());
    CHECK_FALSE(balancer.targets()->empty());
}

TEST_CASE("who falls from score 1 to 0.1 loses its share in proportion") {
    // Nothing in flight and equal latency: every policy is left with the weights.
    for (const Balance balance : policies) {
        CAPTURE(static_cast<int>(balance));
        RouteBalancer balancer(route_over({{"a", 1, 0, {}}, {"b", 1, 0, {}}}, balance));
        const auto a = set_of("a", {1, 1});
        const auto b = set_of("b", {1, 1});
        balancer.update({{"a", a}, {"b", b}});
        FastRng rng(9);
        constexpr int picks = 50'000;
        const auto share = [&] {
            int count = 0;
            for (int i = 0; i < picks; ++i)
                count += balancer.pick({}, rng) == (*a)[0].get() ? 1 : 0;
            return static_cast<double>(count) / picks;
        };
        // A Maglev table's slots are within one of their share.
        CHECK(share() == doctest::Approx(0.25).epsilon(0.03));
        set_score(*(*a)[0], 0.1F);
        // 0.025 of adaptive, which draws a tenth as often as before, 0.032 of the others.
        const double low = share();
        CHECK(low > 0.02);
        CHECK(low < 0.04);
        set_score(*(*a)[0], 1);
        CHECK(share() == doctest::Approx(0.25).epsilon(0.03));
    }
}

TEST_CASE("a level that falls short spills the rest, in proportion") {
    RouteBalancer balancer(
        route_over({{"near", 1, 0, {}}, {"mid", 1, 1, {}}, {"far", 1, 2, {}}}, Balance::random));
    const auto near = set_of("near", {1, 1, 1, 1});
    const auto mid = set_of("mid", {1, 1});
    balancer.update({{"near", near}, {"mid", mid}, {"far", set_of("far", {1})}});
    FastRng rng(3);
    constexpr int picks = 40'000;
    const auto shares = [&](double first, double second, double third) {
        std::map<std::string, int> counts;
        for (int i = 0; i < picks; ++i)
            ++counts[balancer.pick({}, rng)->pool];
        CHECK(fair(counts["near"], picks, first));
        CHECK(fair(counts["mid"], picks, second));
        CHECK(fair(counts["far"], picks, third));
    };
    shares(1, 0, 0);
    set_standing(*(*near)[0], Standing::ejected);
    shares(1, 0, 0);
    set_standing(*(*near)[1], Standing::ejected);
    shares(0.7, 0.3, 0);
    set_score(*(*near)[2], 0.2F);
    shares(0.42, 0.58, 0);
    set_score(*(*mid)[0], 0.1F);
    set_score(*(*mid)[1], 0.1F);
    shares(0.42, 0.14, 0.44);
    set_standing(*(*near)[2], Standing::failed);
    set_standing(*(*near)[3], Standing::unhealthy);
    shares(0, 0.14, 0.86);
    CHECK_FALSE(balancer.panicking());
}

TEST_CASE("with hundreds of endpoints a level spills as much as it lacks, and no more") {
    RouteBalancer balancer(
        route_over({{"near", 1, 0, {}}, {"mid", 1, 1, {}}, {"far", 1, 2, {}}}, Balance::random));
    const std::vector<std::uint32_t> hundred(100, 1);
    const auto near = set_of("near", hundred);
    balancer.update(
        {{"near", near}, {"mid", set_of("mid", hundred)}, {"far", set_of("far", hundred)}});
    FastRng rng(4);
    for (std::size_t out = 0; out <= 100; out += 20) {
        for (std::size_t i = 0; i < out; ++i)
            set_standing(*(*near)[i], Standing::ejected);
        constexpr int picks = 20'000;
        std::map<std::string, int> counts;
        for (int i = 0; i < picks; ++i)
            ++counts[balancer.pick({}, rng)->pool];
        const double well = static_cast<double>(100 - out) / 100;
        CHECK(fair(counts["near"], picks, std::min(1.0, 1.4 * well)));
        CHECK(counts["far"] == 0);
    }
}

TEST_CASE("what was tried goes on to later levels, then to earlier ones") {
    RouteBalancer balancer(
        route_over({{"a", 1, 0, {}}, {"b", 1, 1, {}}, {"c", 1, 2, {}}}, Balance::random));
    const auto a = set_of("a", {1, 1});
    balancer.update({{"a", a}, {"b", set_of("b", {1})}, {"c", set_of("c", {1})}});
    set_standing(*(*a)[0], Standing::ejected);
    FastRng rng(4);
    int from_second = 0;
    for (int round = 0; round < 200; ++round) {
        std::vector<const Endpoint*> tried;
        std::string order;
        while (const Endpoint* next = balancer.pick({.tried = tried}, rng)) {
            tried.push_back(next);
            order += next->pool;
        }
        CHECK(order.size() == 3);
        from_second += order[0] == 'b' ? 1 : 0;
        CHECK((order == "abc" || order == "bca" || order == "bac"));
    }
    CHECK(fair(from_second, 200, 0.3));
}

TEST_CASE("panic tries all that verdicts have put out, and ends when one is well") {
    RouteBalancer balancer(route_over({{"a", 1, 0, {}}, {"b", 1, 1, {}}}, Balance::random));
    const auto a = set_of("a", {1, 1, 1});
    const auto b = set_of("b", {1});
    balancer.update({{"a", a}, {"b", b}});
    FastRng rng(5);
    CHECK_FALSE(balancer.nothing_is_well());
    set_standing(*(*a)[0], Standing::ejected);
    set_standing(*(*a)[1], Standing::drained);
    set_standing(*(*a)[2], Standing::unhealthy);
    CHECK_FALSE(balancer.nothing_is_well());
    set_standing(*(*b)[0], Standing::unhealthy);
    CHECK(balancer.nothing_is_well());
    std::map<const Endpoint*, int> counts;
    for (int i = 0; i < 10'000; ++i)
        ++counts[balancer.pick({}, rng)];
    CHECK(balancer.panicking());
    CHECK(counts.size() == 3);
    CHECK(counts[(*a)[1].get()] == 0);
    CHECK(fair(counts[(*a)[0].get()], 10'000, 0.2));
    CHECK(fair(counts[(*b)[0].get()], 10'000, 0.6));

    set_standing(*(*b)[0], Standing::in);
    CHECK_FALSE(balancer.nothing_is_well());
    for (int i = 0; i < 100; ++i)
        CHECK(balancer.pick({}, rng) == (*b)[0].get());
    CHECK_FALSE(balancer.panicking());
    set_standing(*(*b)[0], Standing::standby);
    set_standing(*(*a)[0], Standing::failed);
    set_standing(*(*a)[2], Standing::standby);
    CHECK(balancer.pick({}, rng) == nullptr);
    CHECK_FALSE(balancer.panicking());
    CHECK(balancer.nothing_is_well());
}

TEST_CASE("a split is exact, whatever latency, and goes to the others while its pool is out") {
    for (const Balance balance : policies) {
        CAPTURE(static_cast<int>(balance));
        RouteBalancer balancer(route_over({{"stable", 1, 0, 0.9}, {"canary", 7, 0, 0.1}}, balance));
        const auto stable = set_of("stable", {1, 1});
        const auto canary = set_of("canary", {1});
        balancer.update({{"stable", stable}, {"canary", canary}});
        FastRng rng(6);
        const TimePoint now{std::chrono::hours(1)};
        (*stable)[0]->state->latency.observe(std::chrono::seconds(1), now);
        (*stable)[1]->state->latency.observe(std::chrono::seconds(2), now);
        (*canary)[0]->state->latency.observe(std::chrono::milliseconds(1), now);
        (*canary)[0]->state->in_flight = 50;
        int canaries = 0;
        for (int i = 1; i <= 10'000; ++i) {
            const Endpoint* picked = balancer.pick({.now = now}, rng);
            canaries += picked->pool == "canary" ? 1 : 0;
            CHECK(std::abs(canaries - 0.1 * i) <= 1);
            // A retry changes nothing in the account.
            const std::vector tried{picked};
            CHECK(balancer.pick({.tried = tried, .now = now}, rng) != picked);
        }
        CHECK(canaries == 1000);
        set_score(*(*canary)[0], 0.1F);  // sick, but its share is exact
        set_score(*(*stable)[0], 0.5F);
        for (int i = 0; i < 1000; ++i)
            canaries += balancer.pick({.now = now}, rng)->pool == "canary" ? 1 : 0;
        CHECK(canaries == 1100);
        set_standing(*(*canary)[0], Standing::ejected);
        for (int i = 0; i < 100; ++i)
            CHECK(balancer.pick({.now = now}, rng)->pool == "stable");
        set_standing(*(*canary)[0], Standing::in);
        set_standing(*(*stable)[0], Standing::ejected);
        set_standing(*(*stable)[1], Standing::ejected);
        CHECK(balancer.pick({.now = now}, rng)->pool == "canary");
        CHECK_FALSE(balancer.panicking());
    }
}

TEST_CASE("strict nearness uses the near ones first, and spills to farther ones") {
    config::Route route = route_over({{"a", 1, 0, {}}}, Balance::random);
    route.nearness = config::Route::Nearness::strict;
    auto set = std::make_shared<EndpointSet>();
    const auto plain = set_of("a", {1, 1, 1, 1});
    for (const auto& endpoint : *plain) {
        auto placed = std::make_shared<Endpoint>(*endpoint);
        placed->provider = placed->region = "x";
        placed->zone = set->size() < 2 ? "here" : "there";
        set->push_back(placed);
    }
    RouteBalancer balancer(route, {"x", "x", "here", "n"});
    balancer.update({{"a", set}});
    FastRng rng(7);
    const auto near = [&] {
        int count = 0;
        for (int i = 0; i < 10'000; ++i)
            count += balancer.pick({}, rng)->zone == "here" ? 1 : 0;
        return count;
    };
    CHECK(near() == 10'000);
    set_standing(*(*set)[0], Standing::unhealthy);
    CHECK(fair(near(), 10'000, 0.7));
    set_standing(*(*set)[1], Standing::unhealthy);
    CHECK(near() == 0);
}

TEST_CASE("a sticky wish is granted while it is eligible and untried") {
    RouteBalancer balancer(route_over({{"a", 1, 0, {}}, {"b", 1, 1, {}}}));
    const auto a = set_of("a", {1, 1});
    const auto b = set_of("b", {1});
    balancer.update({{"a", a}, {"b", b}});
    FastRng rng(8);
    const Endpoint* wished = (*b)[0].get();
    for (int i = 0; i < 10; ++i)
        CHECK(balancer.pick({.stick = wished}, rng) == wished);
    const std::vector tried{wished};
    CHECK(balancer.pick({.tried = tried, .stick = wished}, rng)->pool == "a");
    CHECK(balancer.pick({.stick = wished}, rng) == wished);
    set_standing(*wished, Standing::drained);
    CHECK(balancer.pick({.stick = wished}, rng)->pool == "a");
    const auto stranger = make_endpoint("c", 1);
    CHECK(balancer.pick({.stick = stranger.get()}, rng)->pool == "a");
}

TEST_CASE("what is left for its zone goes to another one of the pool, if there is one") {
    for (const Balance balance : policies) {
        RouteBalancer balancer(route_over({{"a", 1, 0, {}}, {"b", 1, 1, {}}}, balance));
        const auto a = set_of("a", {5, 5, 5, 1});
        const auto b = set_of("b", {9});
        for (std::size_t i = 0; i < a->size(); ++i)
            const_cast<Endpoint&>(*(*a)[i]).zone = i < 3 ? "z1" : "z2";
        balancer.update({{"a", a}, {"b", b}});
        FastRng rng(9);
        std::vector<const Endpoint*> tried{(*a)[0].get()};
        const auto next = [&] {
            return balancer.pick({.tried = tried, .away_from = tried.back()}, rng);
        };
        for (int i = 0; i < 20; ++i)
            CHECK(next() == (*a)[3].get());
        // Without another zone that could be asked, rather the pool than another level.
        set_standing(*(*a)[3], Standing::drained);
        for (int i = 0; i < 20; ++i) {
            CHECK(next()->pool == "a");
            CHECK(next() != tried.back());
        }
        const std::vector<const PoolState*> avoid{(*a)[0]->pool_state.get()};
        CHECK(
            balancer.pick({.tried = tried, .avoid = avoid, .away_from = tried.back()}, rng)->pool ==
            "b");
    }
}

TEST_CASE("if no other pool is left, one that is avoided is at least asked in another zone") {
    RouteBalancer balancer(route_over({{"a", 1, 0, {}}}));
    const auto a = set_of("a", {5, 5, 5, 1});
    for (std::size_t i = 0; i < a->size(); ++i)
        const_cast<Endpoint&>(*(*a)[i]).zone = i < 3 ? "z1" : "z2";
    balancer.update({{"a", a}});
    FastRng rng(10);
    const std::vector<const Endpoint*> tried{(*a)[0].get()};
    const std::vector<const PoolState*> avoid{(*a)[0]->pool_state.get()};
    CHECK(balancer.pick({.tried = tried, .avoid = avoid, .away_from = tried.back()}, rng) ==
          (*a)[3].get());
}
