// The commands that change pools: what they ask, what they print and how they end.
#include "proxy/cli/pool_commands.hpp"

#include <sstream>

#include <doctest/doctest.h>

#include "tests/unit/proxy/admin/running_admin.hpp"

using namespace scrollgate;
using scrollgate::test::RunningAdmin;

namespace {

struct Scene {
    Scene() {
        HealthStatus health;
        HealthStatus::Pool& pool = health.pools.emplace_back();
        pool.name = "eu west/1";
        pool.state = "in";
        pool.why = "1 of 1 endpoints in service are in";
        pool.scale = {2, 2, 0, "scaled by 2 from 1"};
        HealthStatus::Endpoint& endpoint = pool.endpoints.emplace_back();
        endpoint.address = "[::1]:80";
        endpoint.why = "as configured";
        admin.play([&](test::Played& played) { played.health = health; });
    }

    [[nodiscard]] AdminTarget target() const {
        return {"127.0.0.1", admin.port, admin.token_file()};
    }
    [[nodiscard]] PoolCommand last() const { return admin.played().commands.back(); }
    void play(const auto& change) {
        admin.play([&](test::Played& played) { change(played.health.pools[0]); });
    }
    std::string said() { return std::exchange(out, std::ostringstream()).str(); }
    std::string warned() { return std::exchange(err, std::ostringstream()).str(); }

    RunningAdmin admin;
    std::ostringstream out, err;
    Console console{out, err, false};
};

const std::string pool = "eu west/1";

}  // namespace

TEST_CASE("scale says what is in service and why") {
    Scene s;
    CHECK(run_scale(s.target(), {pool, {}, 2}, s.console) == 0);
    CHECK(s.said() == "pool eu west/1: 2 in service, 2 wanted: scaled by 2 from 1\n");
    CHECK(s.last().pool == pool);
    CHECK(s.last().wish.active == 2U);
    CHECK(run_scale(s.target(), {"", 1.5, {}}, s.console) == 0);
    CHECK(s.said() == "pool eu west/1: 2 in service, 2 wanted: scaled by 2 from 1\n");
    CHECK(s.last().pool == "");
    CHECK(s.last().wish.factor == 1.5);
    CHECK(s.warned() == "");
    s.play([](auto& one) { one.scale = {3, 2, 1, "scaled to 3; 1 more wanted than there are"}; });
    CHECK(run_scale(s.target(), {pool, {}, 3}, s.console) == 0);
    CHECK(s.said() ==
          "pool eu west/1: 2 in service, 3 wanted: scaled to 3; 1 more wanted than there are\n");
    CHECK(s.warned() == "scrollgate: standbys have run out: 1 more is wanted\n");
}

TEST_CASE("fail says for how long, and how to end it") {
    Scene s;
    s.play([](auto& one) {
        one.state = "failed";
        one.why = "an operator has failed it";
    });
    CHECK(run_fail(s.target(), pool, "30s", s.console) == 0);
    CHECK(s.said() == "pool eu west/1 is failed: an operator has failed it, for 30s\n");
    CHECK(run_fail(s.target(), pool, "", s.console) == 0);
    CHECK(s.said() ==
          "pool eu west/1 is failed: an operator has failed it, until you end it with fail "
          "--end\n");
    CHECK(s.last().span == no_limit);
    CHECK(run_unfail(s.target(), pool, s.console) == 0);
    CHECK(s.last().kind == PoolCommand::Kind::unfail);
}

TEST_CASE("drain and undrain name the endpoint") {
    Scene s;
    s.play([](auto& one) { one.endpoints[0].standing = Standing::drained; });
    CHECK(run_drain(s.target(), pool, "[::1]:80", s.console) == 0);
    CHECK(s.said() == "pool eu west/1: [::1]:80 is drained: as configured\n");
    CHECK(s.last().kind == PoolCommand::Kind::drain);
    CHECK(s.last().address == "[::1]:80");
    CHECK(run_undrain(s.target(), pool, "[::1]:80", s.console) == 0);
    CHECK(s.last().kind == PoolCommand::Kind::undrain);
}

TEST_CASE("what is refused is said in the server's words, without what steers a terminal") {
    Scene s;
    CHECK(run_fail(s.target(), pool, "soon", s.console) == 1);
    CHECK(s.warned().starts_with("scrollgate: for: "));
    CHECK(run_drain(s.target(), "eu\x1b[2J", "[::1]:80", s.console) == 1);
    CHECK(s.warned().find('\x1b') == std::string::npos);
    s.admin.play([](test::Played& played) { played.refuse = "it is not drained"; });
    CHECK(run_undrain(s.target(), pool, "[::1]:80", s.console) == 1);
    CHECK(s.warned() == "scrollgate: it is not drained\n");
    CHECK(s.said() == "");
    AdminTarget stranger = s.target();
    stranger.token_file = "/no/such/token";
    CHECK(run_fail(stranger, pool, "", s.console) == 1);
    CHECK(s.warned().find("cannot read the admin token file /no/such/token") != std::string::npos);
}
