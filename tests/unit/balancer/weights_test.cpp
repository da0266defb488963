// Layout of levels and groups, weights from verdicts, subsets, and how load spills.
#include "balancer/weights.hpp"

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "balancer/nearness.hpp"
#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using Nearness = config::Route::Nearness;

namespace {

struct Weighed {
    RouteLayout layout;
    RouteTargets targets;
    std::vector<Target> row;
    std::vector<GroupHealth> health;

    Weighed(const config::Route& route, const PoolSets& sets, const config::Self& self = {},
            const std::vector<config::Pool>& pools = {}, bool panic = false)
        : layout(route, self, pools),
          targets(layout, sets),
          row(targets.row().begin(), targets.row().end()) {
        weigh(row, targets, layout, panic, health);
    }
    [[nodiscard]] std::vector<double> weights() const {
        std::vector<double> all;
        for (const Target& target : row)
            all.push_back(target.weight);
        return all;
    }
};

config::Route route_near(std::vector<config::RoutePool> pools, Nearness nearness = Nearness::tie) {
    config::Route route;
    route.pools = std::move(pools);
    route.nearness = nearness;
    return route;
}

bool spilled_to(std::vector<double> levels, const std::vector<double>& loads) {
    spill(levels);
    return std::ranges::equal(levels, loads,
                              [](double a, double b) { return std::abs(a - b) < 1e-9; });
}

}  // namespace

TEST_CASE("a pool's weight is shared by its endpoints, so it does not grow with the pool") {
    const Weighed all(route_near({{"one", 3, 0, {}}, {"many", 2, 0, {}}}),
                      {{"one", set_of("one", {7})}, {"many", set_of("many", {1, 2, 1})}});
    CHECK(all.weights() == std::vector<double>{3, 0.5, 1, 0.5});
}

TEST_CASE("weights follow score and standing; a standby counts only when it is scaled in") {
    const auto set = set_of("a", {1, 1, 1, 1, 1, 1});
    set_score(*(*set)[0], 0.25F);
    set_standing(*(*set)[1], Standing::ejected);
    set_standing(*(*set)[2], Standing::drained);
    set_standing(*(*set)[3], Standing::standby);
    set_standing(*(*set)[4], Standing::standby);
    const Weighed before(route_near({{"a", 8, 0, {}}}), {{"a", set}});
    CHECK(before.weights() == std::vector<double>{0.5, 0, 0, 0, 0, 2});
    CHECK(before.health[0].whole == doctest::Approx(8));
    CHECK(before.health[0].well == doctest::Approx(2.5));
    set_standing(*(*set)[3], Standing::in);
    const Weighed after(route_near({{"a", 5, 0, {}}}), {{"a", set}});
    CHECK(after.weights() == std::vector<double>{0.25, 0, 0, 1, 0, 1});
    set_score(*(*set)[0], 0);  // in service: never quite without weight
    CHECK(Weighed(route_near({{"a", 5, 0, {}}}), {{"a", set}}).weights()[0] > 0);
}

TEST_CASE("panic takes what verdicts put out, and nothing that somebody did") {
    const auto set = set_of("a", {1, 1, 1, 1, 1});
    constexpr Standing standings[] = {Standing::ejected, Standing::unhealthy, Standing::standby,
                                      Standing::drained, Standing::failed};
    for (std::size_t i = 0; i < 5; ++i)
        set_standing(*(*set)[i], standings[i]);
    const Weighed calm(route_near({{"a", 4, 0, {}}}), {{"a", set}});
    CHECK_FALSE(calm.health[0].live);
    const Weighed panic(route_near({{"a", 4, 0, {}}}), {{"a", set}}, {}, {}, true);
    CHECK(panic.weights() == std::vector<double>{1, 1, 0, 0, 0});
}

TEST_CASE("levels are priorities, groups are splits and the rest, for any sets") {
    const config::Route route = route_near(
        {{"b", 1, 5, {}}, {"a", 1, 0, 0.9}, {"c", 1, 5, {}}, {"d", 1, 0, {}}, {"e", 2, 0, {}}});
    const RouteLayout layout(route, {}, {});
    REQUIRE(layout.levels().size() == 2);
    REQUIRE(layout.groups().size() == 3);
    CHECK(layout.groups()[0].share == doctest::Approx(0.9));
    CHECK(layout.groups()[1].share == doctest::Approx(0.1));
    CHECK(layout.groups()[2].share == 1);
    const RouteTargets none(layout, {{"a", nullptr}});
    CHECK(none.empty());
    const RouteTargets some(layout, {{"b", set_of("b", {1})}, {"d", set_of("d", {1, 1})}});
    CHECK(some.size() == 3);
    CHECK(some.group(0).begin == some.group(0).end);
    CHECK(some.row()[some.group(1).begin].endpoint->pool == "d");
    CHECK(some.row()[some.group(2).begin].endpoint->pool == "b");
}

TEST_CASE("distance counts only as far as self says where it is") {
    Endpoint endpoint;
    endpoint.provider = "aws";
    endpoint.region = "r1";
    endpoint.zone = "z1";
    CHECK(distance({"aws", "r1", "z1", ""}, endpoint) == 0);
    CHECK(distance({"", "r1", "z1", ""}, endpoint) == 0);
    CHECK(distance({"aws", "r1", "z2", ""}, endpoint) == 1);
    CHECK(distance({"aws", "r1", "", ""}, endpoint) == 1);
    CHECK(distance({"aws", "r2", "z1", ""}, endpoint) == 2);
    CHECK(distance({"aws", "", "", ""}, endpoint) == 2);
    CHECK(distance({"gcp", "r1", "z1", ""}, endpoint) == 3);
    CHECK(distance({}, endpoint) == 3);
    endpoint = {};
    CHECK(distance({}, endpoint) == 3);
}

TEST_CASE("strict nearness makes a level of each distance, but not beside exact shares") {
    auto set = set_of("a", {1, 1, 1});
    EndpointSet placed;
    for (const char* zone : {"z2", "z1", "z3"}) {
        auto copy = std::make_shared<Endpoint>(*(*set)[placed.size()]);
        copy->region = "r";
        copy->zone = zone;
        placed.push_back(copy);
    }
    const config::Self self{"", "r", "z1", "n"};
    const PoolSets sets{{"a", std::make_shared<const EndpointSet>(placed)}};
    const Weighed strict(route_near({{"a", 3, 0, {}}}, Nearness::strict), sets, self);
    REQUIRE(strict.layout.levels().size() == 4);
    CHECK(strict.row[0].endpoint->zone == "z1");
    CHECK(strict.targets.group(0).end == 1);
    CHECK(strict.targets.group(1).end == 3);
    CHECK(strict.weights() == std::vector<double>{1, 1, 1});
    CHECK(availability(strict.layout, 0, strict.health) == 1);
    CHECK(availability(strict.layout, 3, strict.health) == 0);

    const Weighed split(route_near({{"a", 3, 0, 0.5}}, Nearness::strict), sets, self);
    CHECK(split.layout.levels().size() == 1);
    CHECK(split.row[0].distance == 1);
    const Weighed off(route_near({{"a", 3, 0, {}}}, Nearness::off), sets, self);
    CHECK(off.row[0].distance == off.row[1].distance);
}

TEST_CASE("a level may take 1.4 times its health, and what is left goes on") {
    CHECK(spilled_to({1, 1}, {1, 0}));
    CHECK(spilled_to({0.7, 1}, {0.7, 0.3}));
    CHECK(spilled_to({0.7, 0.1, 1}, {0.7, 0.1, 0.2}));
    CHECK(spilled_to({0.3, 0.1}, {0.75, 0.25}));
    CHECK(spilled_to({0, 0.2}, {0, 1}));
    CHECK(spilled_to({0, 0}, {0, 0}));

    const auto set = set_of("a", {1, 1, 1, 1});
    const auto of = [&] {
        const Weighed now(route_near({{"a", 1, 0, {}}}), {{"a", set}});
        return availability(now.layout, 0, now.health);
    };
    CHECK(of() == 1);
    set_standing(*(*set)[0], Standing::failed);
    CHECK(of() == 1);  // 1.05
    set_standing(*(*set)[1], Standing::ejected);
    CHECK(of() == doctest::Approx(0.7));
    set_score(*(*set)[2], 0.5F);
    CHECK(of() == doctest::Approx(0.525));
}

TEST_CASE("each node uses its own subset, endpoints are used evenly, little moves") {
    const auto set = set_of("a", std::vector<std::uint32_t>(100, 1));
    const std::vector<config::Pool> pools = [] {
        config::Pool pool;
        pool.name = "a";
        pool.subset = 10;
        return std::vector{pool};
    }();
    const auto used = [&](const std::string& node) {
        const Weighed of(route_near({{"a", 5, 0, {}}}), {{"a", set}}, {"", "", "", node}, pools);
        const auto weights = of.weights();
        CHECK(std::accumulate(weights.begin(), weights.end(), 0.0) == doctest::Approx(5));
        std::vector<bool> ones;
        for (const double weight : weights)
            ones.push_back(weight > 0);
        return ones;
    };
    std::vector<int> nodes(100);
    for (int node = 0; node < 1000; ++node) {
        const auto ones = used("node" + std::to_string(node));
        CHECK(std::count(ones.begin(), ones.end(), true) == 10);
        for (std::size_t i = 0; i < 100; ++i)
            nodes[i] += ones[i] ? 1 : 0;
    }
    for (const int count : nodes)
        CHECK(fair(count, 1000, 0.1));

    // One that is out is stood in for by the next; the other nine stay.
    const auto before = used("n");
    CHECK(used("n") == before);
    const auto first = std::find(before.begin(), before.end(), true) - before.begin();
    set_standing(*(*set)[static_cast<std::size_t>(first)], Standing::unhealthy);
    const Weighed out(route_near({{"a", 5, 0, {}}}), {{"a", set}}, {"", "", "", "n"}, pools);
    std::size_t same = 0;
    std::size_t now = 0;
    for (std::size_t i = 0; i < 100; ++i) {
        same += out.row[i].weight > 0 && before[i] ? 1 : 0;
        now += out.row[i].weight > 0 ? 1 : 0;
    }
    CHECK(same == 9);
    CHECK(now == 10);

    // It comes back with a trickle, and the one that stands in for it stays until it is well.
    set_standing(*(*set)[static_cast<std::size_t>(first)], Standing::in);
    set_score(*(*set)[static_cast<std::size_t>(first)], 0.02F);
    const Weighed back(route_near({{"a", 5, 0, {}}}), {{"a", set}}, {"", "", "", "n"}, pools);
    const auto weights = back.weights();
    CHECK(std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; }) == 11);
    CHECK(weights[static_cast<std::size_t>(first)] < 0.02);
    for (const auto& endpoint : *set)
        set_score(*endpoint, 0.02F);  // all of them: as many again, and no more
    const Weighed low(route_near({{"a", 5, 0, {}}}), {{"a", set}}, {"", "", "", "n"}, pools);
    const auto all = low.weights();
    CHECK(std::count_if(all.begin(), all.end(), [](double w) { return w > 0; }) == 20);
}
