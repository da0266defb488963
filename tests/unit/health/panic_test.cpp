// Panic of a route: as the balancers' rule says, and one line at its beginning and at its end.
#include "balancer/levels.hpp"
#include "core/rng.hpp"
#include "tests/unit/health/world.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

bool panics(const World& w) {
    return w.verdicts.status().panicking(w.config.routes[0].name);
}

}  // namespace

TEST_CASE("a panic is one line when it begins and one when it ends, and stands in the status") {
    World w(2, 1);
    w.config.routes[0].name = "all";
    w.update();
    w.calm(1s);
    CHECK(!panics(w));
    for (int p = 0; p < 2; ++p)
        w.attempts(p, 0, 2, AttemptEnd::refused);
    w.lines.clear();
    w.look();
    CHECK(panics(w));
    REQUIRE(w.lines.size() == 3);
    CHECK(w.lines[2] ==
          "route all: panic: nothing is well; tried are all that are ejected or unhealthy: 2");
    w.look();
    w.update();  // a reload in between begins no new one
    w.look();
    CHECK(w.lines.size() == 3);
    w.lines.clear();
    w.attempts(0, 0, 1, AttemptEnd::answered);
    w.look();
    CHECK(!panics(w));
    REQUIRE(w.lines.size() == 2);
    CHECK(w.lines[1] == "route all: the panic is over; endpoints that are in: 1");
}

TEST_CASE("what operators took out is no panic") {
    World w(2, 1);
    w.config.routes[0].name = "all";
    w.update();
    CHECK(w.verdicts.fail("p0", no_limit, w.now) == "");
    CHECK(w.verdicts.drain("p1", w.text(1, 0), w.now) == "");
    w.look();
    CHECK(!panics(w));
}

TEST_CASE("that operators took out the last is told once, and is no end of a panic") {
    World w(2, 1);
    w.config.routes[0].name = "all";
    w.update();
    w.calm(1s);
    for (int p = 0; p < 2; ++p)
        w.attempts(p, 0, 2, AttemptEnd::refused);
    w.look();
    CHECK(panics(w));
    CHECK(w.verdicts.drain("p0", w.text(0, 0), w.now) == "");
    CHECK(w.verdicts.drain("p1", w.text(1, 0), w.now) == "");
    w.lines.clear();
    w.look();
    w.look();
    CHECK(!panics(w));
    REQUIRE(!w.lines.empty());
    CHECK(w.lines.back() ==
          "route all: no endpoint is left that may be tried: operators or DNS have taken out all");
    CHECK(std::ranges::count_if(w.lines, [](const std::string& line) {
              return line.find("route all") != line.npos;
          }) == 1);
}

TEST_CASE("ejections are counted by pool and reason") {
    World w(2, 2);
    w.calm(1s);
    w.attempts(0, 1, 2, AttemptEnd::refused);
    w.look();
    const HealthStatus status = w.verdicts.status();
    CHECK(status.pools[0].ejections == EjectionCounts{1, 0, 0, 0});
    CHECK(status.pools[1].ejections == EjectionCounts{});
}

TEST_CASE("whatever the standings, it says what a balancer would") {
    World w(3, 3, 1);
    w.config.routes[0].name = "all";
    w.config.routes[0].pools[2].priority = 1;
    FastRng rng(528);
    PoolSets sets;
    for (std::size_t p = 0; p < 3; ++p)
        sets[w.config.pools[p].name] = std::make_shared<const EndpointSet>(w.endpoints[p]);
    bool seen[2]{};
    for (unsigned turn = 0; turn < 300; ++turn) {
        PanicWatch watch;
        watch.update(w.config);
        std::vector<std::unique_ptr<WatchedPool>> pools;
        for (std::size_t p = 0; p < 3; ++p) {
            pools.push_back(std::make_unique<WatchedPool>(w.config.pools[p]));
            for (const auto& endpoint : w.endpoints[p]) {
                // Every third turn only what operators took out, now and then one that is in.
                const std::uint64_t out = turn % 3 == 0 ? 3 + rng.below(3) : 1 + rng.below(5);
                const auto any = static_cast<Standing>(rng.below(40) == 0 ? 0 : out);
                endpoint->state->standing = any;
                pools.back()->endpoints.push_back(std::make_unique<WatchedEndpoint>(endpoint));
            }
        }
        static_cast<void>(watch.look(pools, [](const std::string&) {}));
        RouteBalancer balancer(w.config.routes[0]);
        balancer.update(sets);
        const bool panicking = watch.status()[0].panicking;
        CHECK(panicking == balancer.panicking());
        seen[panicking ? 1 : 0] = true;
    }
    CHECK(seen[0]);
    CHECK(seen[1]);
}
