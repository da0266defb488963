// What each path of the admin API answers, over real loopback connections.
#include "proxy/admin/admin_server.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "proxy/admin/token.hpp"
#include "tests/unit/proxy/admin/running_admin.hpp"

using namespace scrollgate;
using http1::ClientAnswer;
using http1::fetch;
using http1::find_header;
using scrollgate::test::RunningAdmin;

namespace {

ReloadAnswer refused_reload() {
    ReloadAnswer answer;
    answer.file = "/etc/scrollgate.yaml";
    answer.problems = {{config::Problem::Severity::error, 3, 5, "pools.aws", "no endpoints"},
                       {config::Problem::Severity::warning, 9, 1, "pools.gcp", "unused"}};
    return answer;
}

http1::ClientRequest with_token(const RunningAdmin& admin, http1::ClientRequest request) {
    request.headers.emplace_back("Authorization",
                                 "Bearer " + read_token(admin.token_file()).secret);
    return request;
}

}  // namespace

TEST_CASE("health, readiness, metrics and status answer on loopback") {
    const RunningAdmin admin;
    REQUIRE(admin.error == "");
    CHECK(fetch(admin.request("GET", "/healthz")).body == "ok\n");
    CHECK(fetch(admin.request("GET", "/readyz?verbose")).status == 200);
    const ClientAnswer metrics = fetch(admin.request("GET", "/metrics"));
    CHECK(metrics.body == "up 1\n");
    CHECK(find_header(metrics.headers, "content-type") ==
          "text/plain; version=0.0.4; charset=utf-8");
    const ClientAnswer status = fetch(admin.request("GET", "/api/v1/status"));
    CHECK(status.status == 200);
    CHECK(find_header(status.headers, "content-type") == "application/json");
    CHECK(boost::json::parse(status.body).at("state") == "starting");
    const ClientAnswer head = fetch(admin.request("HEAD", "/api/v1/status"));
    CHECK(head.status == 200);
    CHECK(head.body == "");
}

TEST_CASE("a process that drains is alive but not ready") {
    const RunningAdmin admin({}, false);
    CHECK(fetch(admin.request("GET", "/healthz")).status == 200);
    CHECK(fetch(admin.request("GET", "/readyz")).status == 503);
}

TEST_CASE("the effective configuration is an object") {
    const RunningAdmin admin;
    const ClientAnswer answer = fetch(admin.request("GET", "/api/v1/config"));
    CHECK(answer.status == 200);
    CHECK(boost::json::parse(answer.body).as_object().contains("timeouts"));
}

TEST_CASE("what does not exist, fits no method or is too large is said so as JSON") {
    const RunningAdmin admin;
    const ClientAnswer missing = fetch(admin.request("GET", "/api/v1/nothing"));
    CHECK(missing.status == 404);
    CHECK(boost::json::parse(missing.body).at("error") == "not_found");
    const ClientAnswer wrong = fetch(admin.request("DELETE", "/healthz"));
    CHECK(wrong.status == 405);
    CHECK(find_header(wrong.headers, "allow") == "GET, HEAD");
    CHECK(find_header(fetch(admin.request("GET", "/api/v1/reload")).headers, "allow") == "POST");
    http1::ClientRequest stranger = admin.request("GET", "/api/v1/nothing");
    stranger.headers = {{"Host", "evil.example"}};
    CHECK(fetch(stranger).status == 403);
}

TEST_CASE("a reload needs the token and tells what came of it") {
    ReloadAnswer done;
    done.ok = true;
    done.file = "edge.yaml";
    done.snapshot = 4;
    done.not_reloadable = {"workers"};
    const RunningAdmin admin(done);
    CHECK(fetch(admin.request("POST", "/api/v1/reload")).status == 401);
    const ClientAnswer answer = fetch(with_token(admin, admin.request("POST", "/api/v1/reload")));
    CHECK(answer.status == 200);
    CHECK(boost::json::parse(answer.body) ==
          boost::json::parse(R"({"ok": true, "file": "edge.yaml", "snapshot": 4,
                                 "not_reloadable": ["workers"], "warnings": []})"));
    http1::ClientRequest form = with_token(admin, admin.request("POST", "/api/v1/reload"));
    form.body = "a=b";
    form.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    CHECK(fetch(form).status == 415);
    form.headers.back().second = "application/json; charset=utf-8";
    CHECK(fetch(form).status == 200);
}

TEST_CASE("a refused reload gives every error with its place") {
    const RunningAdmin admin(refused_reload());
    const ClientAnswer answer = fetch(with_token(admin, admin.request("POST", "/api/v1/reload")));
    CHECK(answer.status == 422);
    CHECK(boost::json::parse(answer.body) == boost::json::parse(R"({
        "ok": false, "file": "/etc/scrollgate.yaml",
        "errors": [{"line": 3, "column": 5, "path": "pools.aws", "message": "no endpoints"}],
        "warnings": [{"line": 9, "column": 1, "path": "pools.gcp", "message": "unused"}]})"));
}

TEST_CASE("commands need the token and reach the right pool and endpoint") {
    RunningAdmin admin;
    admin.play([](test::Played& played) {
        HealthStatus::Pool& pool = played.health.pools.emplace_back();
        pool.name = "a/b";
        HealthStatus::Endpoint& endpoint = pool.endpoints.emplace_back();
        endpoint.address = "[::1]:80";
        endpoint.standing = Standing::drained;
    });
    const auto ask = [&](const char* method, const char* path, const char* body) {
        http1::ClientRequest request = with_token(admin, admin.request(method, path));
        request.body = body;
        request.headers.emplace_back("Content-Type", "application/json");
        return fetch(request);
    };
    CHECK(fetch(admin.request("POST", "/api/v1/pools/a%2Fb/fail")).status == 401);
    CHECK(fetch(admin.request("DELETE", "/api/v1/pools/a%2Fb/fail")).status == 401);
    CHECK(ask("GET", "/api/v1/pools/a%2Fb/fail", "").status == 405);
    CHECK(find_header(ask("PUT", "/api/v1/pools/a%2Fb/fail", "").headers, "allow") ==
          "POST, DELETE");
    CHECK(ask("POST", "/api/v1/pools/a%2Fb/scale", "{}").status == 400);
    CHECK(admin.played().commands.empty());

    CHECK(ask("POST", "/api/v1/scale", R"({"factor": 2})").status == 200);
    CHECK(ask("POST", "/api/v1/pools/a%2Fb/scale", R"({"active": 3})").status == 200);
    CHECK(ask("POST", "/api/v1/pools/a%2Fb/fail", R"({"for": "2s"})").status == 200);
    CHECK(ask("DELETE", "/api/v1/pools/a%2Fb/fail", "").status == 200);
    const ClientAnswer drained = ask("POST", "/api/v1/endpoints/a%2Fb/%5B::1%5D:80/drain", "");
    CHECK(boost::json::parse(drained.body).at("state") == "drained");
    CHECK(ask("POST", "/api/v1/endpoints/a%2Fb/[::1]:80/undrain", "").status == 200);
    CHECK(ask("POST", "/api/v1/pools/c/fail", "").status == 404);
    admin.play([](test::Played& played) { played.refuse = "it is not drained"; });
    CHECK(ask("POST", "/api/v1/endpoints/a%2Fb/[::1]:80/undrain", "").status == 409);

    const std::vector<PoolCommand> commands = admin.played().commands;
    REQUIRE(commands.size() == 8);
    using Kind = PoolCommand::Kind;
    const Kind kinds[] = {Kind::scale, Kind::scale,   Kind::fail, Kind::unfail,
                          Kind::drain, Kind::undrain, Kind::fail, Kind::undrain};
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(commands[i].kind == kinds[i]);
        CHECK(commands[i].pool == (i == 0 ? "" : i == 6 ? "c" : "a/b"));
    }
    CHECK(commands[0].wish.factor == 2.0);
    CHECK(commands[1].wish.active == 3U);
    CHECK(commands[2].span == std::chrono::seconds(2));
    CHECK(commands[4].address == "[::1]:80");
}

TEST_CASE("the probes address knows probes alone, under any name") {
    const RunningAdmin admin;
    http1::ClientRequest request = admin.request("GET", "/readyz");
    request.port = admin.probes_port;
    request.headers = {{"Host", "edge.monitoring.svc"}};
    CHECK(fetch(request).status == 200);
    request.target = "/metrics";
    CHECK(fetch(request).status == 200);
    request.target = "/api/v1/status";
    CHECK(fetch(request).status == 404);
}

TEST_CASE("a start that fails says what, where and what to do") {
    const RunningAdmin first;
    const test::TemporaryFolder folder;
    boost::asio::io_context context;
    config::Admin admin;
    admin.bind = *SocketAddress::from_ip("127.0.0.1", first.port);
    admin.token_file = folder / "token";
    AdminServer second(context, admin, {});
    CHECK(second.start() ==
          "admin: cannot listen on 127.0.0.1:" + std::to_string(first.port) +
              ": Address already in use (if another scrollgate has it, stop that one or set "
              "admin.address; admin: off does without)");
    admin.token_file = folder.file("loose", "0123456789abcdef", std::filesystem::perms(0644));
    AdminServer third(context, admin, {});
    CHECK(third.start().find("chmod 600") != std::string::npos);
}
