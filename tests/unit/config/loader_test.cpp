// What the values of a file become, and what is said about files as a whole.
#include "config/loader.hpp"

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "config/diff.hpp"
#include "config/paths.hpp"
#include "config/quick.hpp"

namespace scrollgate::config {
namespace {

using namespace std::chrono_literals;

Config loaded(const std::string& text) {
    const Loaded result = load_text(text);
    for (const Problem& problem : result.problems)
        MESSAGE(to_text(problem, "test.yaml"));
    REQUIRE(result.ok());
    return result.config;
}

const std::string listeners = "listeners: [ { address: 127.0.0.1:8080 } ]\n";
const std::string pools = "pools: { aws: { endpoints: [ \"10.0.1.10:8080\" ] } }\n";
const std::string routes = "routes: [ { pools: [ aws ] } ]\n";

}  // namespace

TEST_CASE("the smallest file gets every default") {
    const Config config = loaded(listeners + pools + routes);
    CHECK(config.listeners.at(0).name == "127.0.0.1:8080");
    CHECK(config.listeners[0].bind.text() == "127.0.0.1:8080");
    REQUIRE(config.admin.has_value());
    CHECK(config.admin->bind.text() == "127.0.0.1:9528");
    CHECK(config.admin->token_file == default_token_file());
    CHECK(config.limits.header_bytes == 32 * limits::KiB);
    CHECK(config.timeouts.request == no_limit);
    CHECK(config.pools.at(0).limits.pending == 1024);
    CHECK(config.routes.at(0).name == "any");
    CHECK(config.routes[0].failover.max_attempts == 3);
    CHECK(config.routes[0].via);
    CHECK(config.frequency == 528);
    CHECK(config.workers == 0);
}

TEST_CASE("values are read in all their forms") {
    const Config config = loaded(
        "listeners: [ { name: plain, address: \":8080\" } ]\n"
        "admin: off\n"
        "trusted_proxies: [ 10.0.0.0/8 ]\n"
        "limits: { connections: none, body: 1MiB }\n"
        "pools:\n"
        "  aws:\n"
        "    host: endpoint\n"
        "    endpoints: [ \"[2001:db8::1]:80\", { address: \"http://App.example/\", weight: 2 } ]\n"
        "  gcp: { host: app.example, endpoints: [ \"gcp.example:81\" ] }\n"
        "routes:\n"
        "  - match: { host: \"*.Example.COM.\", methods: [ GET ], query: { v: 2 } }\n"
        "    pools: [ aws, { name: gcp, weight: 3, priority: 1 } ]\n"
        "    balance: least_requests\n"
        "    timeouts: { request: none, connect: 250ms }\n"
        "    request_headers: { add: { X-A: [ \"1\", \"2\" ] } }\n"
        "    via: off\n"
        "  - match: { path_exact: /ping }\n"
        "    respond: { body: \"pong\\n\" }\n");
    CHECK(config.listeners[0].bind.text() == "0.0.0.0:8080");
    CHECK_FALSE(config.admin.has_value());
    CHECK(config.trusted_proxies.at(0).text() == "10.0.0.0/8");
    CHECK(config.limits.connections == limits::unlimited);
    CHECK(config.limits.body == limits::MiB);
    const Pool& aws = config.pools.at(0);
    CHECK(aws.host_mode == Pool::HostMode::endpoint);
    CHECK(aws.endpoints.at(0).host == "2001:db8::1");
    CHECK(aws.endpoints.at(1).host == "App.example");
    CHECK(aws.endpoints[1].port == 80);
    CHECK(aws.endpoints[1].weight == 2);
    CHECK(config.pools.at(1).host_mode == Pool::HostMode::literal);
    CHECK(config.pools[1].host_literal == "app.example");
    const Route& route = config.routes.at(0);
    CHECK(route.name == "host=*.example.com methods=GET query=v=2");
    CHECK(route.pools.at(1).priority == 1);
    CHECK(route.balance == Route::Balance::least_requests);
    CHECK(route.timeouts.request == no_limit);
    CHECK(route.timeouts.connect == Duration(250ms));
    CHECK_FALSE(route.timeouts.upstream_body.has_value());
    CHECK(route.request_headers.add ==
          std::vector<std::pair<std::string, std::string>>{{"X-A", "1"}, {"X-A", "2"}});
    CHECK_FALSE(route.via);
    CHECK(config.routes.at(1).respond->body == "pong\n");
    CHECK(config.routes[1].respond->status == 200);
}

TEST_CASE("health, capacity and names get their defaults") {
    const Config config = loaded(listeners + pools + routes);
    const Pool& pool = config.pools.at(0);
    CHECK_FALSE(pool.health_check.has_value());
    CHECK(pool.outlier.enabled);
    CHECK(pool.slow_start == Duration(10s));
    CHECK_FALSE(pool.auto_scale.has_value());
    const Route& route = config.routes.at(0);
    CHECK(route.balance == Route::Balance::adaptive);
    CHECK(route.nearness == Route::Nearness::tie);
    CHECK_FALSE(route.sticky.has_value());
    CHECK_FALSE(route.pools.at(0).split.has_value());
    CHECK(route.failover.retry_on == std::vector<std::uint16_t>{502, 503});
    CHECK(route.failover.hedge);
    CHECK(route.failover.connect_race == Duration(50ms));
    CHECK(config.dns.min_ttl == Duration(5s));
    CHECK(config.dns.max_ttl == Duration(5min));
}

TEST_CASE("health, capacity and names are read in all their forms") {
    const Config config = loaded(
        listeners +
        "dns: { min_ttl: 1s, max_ttl: 1m, servers: [ 10.0.0.2, \"[::1]:5353\" ] }\n"
        "pools:\n"
        "  aws:\n"
        "    endpoints: [ \"10.0.1.10:8080\" ]\n"
        "    standby: [ { address: \"spare.example:81\", weight: 2 } ]\n"
        "    health_check: { path: \"/up?x\", interval: 20ms, expect: \"200, 204,300-399\" }\n"
        "    outlier: { max_ejected: 25% }\n"
        "    depends_on: [ \"tcp://db:5432\", \"http://[::1]/up?a\", \"redis://cache\",\n"
        "                  \"http://[::1]/up?key=s3cret\" ]\n"
        "    auto: { target_in_flight: 2.5, max_active: 4 }\n"
        "    webhook: \"http://scaler.example?token=s3cret\"\n"
        "  gcp:\n"
        "    endpoints: [ \"10.1.1.10:8080\" ]\n"
        "    health_check: { tcp: true, port: 9000 }\n"
        "    outlier: off\n"
        "    slow_start: off\n"
        "routes:\n"
        "  - pools: [ { name: aws, split: 90% }, gcp ]\n"
        "    balance: consistent_hash\n"
        "    hash: { cookie: id }\n"
        "    sticky: { ttl: 1h }\n"
        "    failover: { retry_on: [ 429 ], budget: 0%, hedge: off, replay: none,\n"
        "                idempotency_key: on, connect_race: off }\n");
    CHECK(config.dns.servers.at(0).text() == "10.0.0.2:53");
    CHECK(config.dns.servers.at(1).text() == "[::1]:5353");
    const Pool& aws = config.pools.at(0);
    CHECK(aws.standby.at(0).host == "spare.example");
    CHECK(aws.standby[0].weight == 2);
    CHECK(aws.health_check->path == "/up?x");
    CHECK(aws.health_check->interval == Duration(20ms));
    REQUIRE(aws.health_check->expect.size() == 3);
    CHECK(aws.health_check->expect[1].first == 204);
    CHECK(aws.health_check->expect[1].last == 204);
    CHECK(aws.health_check->expect[2].last == 399);
    CHECK(aws.outlier.max_ejected == doctest::Approx(0.25));
    CHECK(aws.depends_on.at(0).kind == Dependency::Kind::tcp);
    CHECK(aws.depends_on.at(1).kind == Dependency::Kind::http);
    CHECK(aws.depends_on.at(1).host == "::1");
    CHECK(aws.depends_on.at(1).port == 80);
    CHECK(aws.depends_on.at(1).path == "/up?a");
    CHECK(aws.depends_on.at(1).shown == "http://[::1]/up?(hidden)");
    CHECK(aws.depends_on.at(3).path == "/up?key=s3cret");
    CHECK(aws.depends_on.at(3).shown == "http://[::1]/up?(hidden-2)");
    CHECK(aws.depends_on.at(2).kind == Dependency::Kind::redis);
    CHECK(aws.depends_on.at(2).port == 6379);
    CHECK(aws.auto_scale->target_in_flight == doctest::Approx(2.5));
    CHECK(aws.auto_scale->max_active == 4);
    CHECK(aws.webhook->host == "scaler.example");
    CHECK(aws.webhook->path == "/?token=s3cret");
    CHECK(effective_yaml(config).find("s3cret") == std::string::npos);
    const Pool& gcp = config.pools.at(1);
    CHECK_FALSE(gcp.outlier.enabled);
    CHECK(gcp.slow_start == Duration::zero());
    const Route& route = config.routes.at(0);
    CHECK(route.pools.at(0).split.value() == doctest::Approx(0.9));
    CHECK(route.hash.source == HashKey::Source::cookie);
    CHECK(route.hash.name == "id");
    CHECK(route.sticky->cookie == "scrollgate");
    CHECK(route.sticky->ttl == Duration(1h));
    CHECK(route.failover.retry_on == std::vector<std::uint16_t>{429});
    CHECK(route.failover.budget == 0);
    CHECK_FALSE(route.failover.hedge);
    CHECK(route.failover.replay == 0);
    CHECK(route.failover.idempotency_key);
    CHECK(route.failover.connect_race == no_limit);
}

TEST_CASE("defaults lie under pools and routes: maps merge deeply, lists are replaced") {
    const Config config =
        loaded(listeners +
               "defaults:\n"
               "  pool: { region: a, limits: { pending: 1, connections: 9, endpoint: { "
               "connections: 2 } } }\n"
               "  route: { match: { methods: [ GET ] }, timeouts: { request: 5s } }\n"
               "pools:\n"
               "  aws: { endpoints: [ \"10.0.1.10:8080\" ], limits: { pending: 7, endpoint: { "
               "in_flight: 3 } } }\n"
               "routes:\n"
               "  - { pools: [ aws ], match: { path_prefix: /a, methods: [ PUT ] } }\n"
               "  - { pools: [ aws ], timeouts: { connect: 1s } }\n");
    CHECK(config.pools[0].region == "a");
    CHECK(config.pools[0].limits.pending == 7);
    CHECK(config.pools[0].limits.connections == 9);
    CHECK(config.pools[0].limits.in_flight == limits::unlimited);
    CHECK(config.pools[0].limits.endpoint.connections == 2);
    CHECK(config.pools[0].limits.endpoint.in_flight == 3);
    CHECK(config.routes[0].match.methods == std::vector<std::string>{"PUT"});
    CHECK(config.routes[0].timeouts.request == Duration(5s));
    CHECK(config.routes[1].match.methods == std::vector<std::string>{"GET"});
    CHECK(config.routes[1].timeouts.request == Duration(5s));
    CHECK(config.routes[1].timeouts.connect == Duration(1s));
}

TEST_CASE("a variable cannot change the structure of the file") {
    setenv("SCROLLGATE_TEST_REGION", "a\" }, workers: 9 #", 1);
    const Config config =
        loaded(listeners + pools + routes + "self: { region: \"${SCROLLGATE_TEST_REGION}\" }\n");
    CHECK(config.self.region == "a\" }, workers: 9 #");
    CHECK(config.workers == 0);
}

TEST_CASE("credentials are used but not shown") {
    const Config config = loaded(listeners + pools +
                                 "routes: [ { pools: [ aws ], request_headers: { set: { "
                                 "Authorization: \"Bearer s3\" } } } ]\n");
    CHECK(config.routes[0].request_headers.set.at(0).second == "Bearer s3");
    CHECK(effective_yaml(config).find("s3") == std::string::npos);
    CHECK(effective_yaml(config).find("Authorization: \"(hidden)\"") != std::string::npos);
}

TEST_CASE("a finding is written with file, place and path") {
    CHECK(to_text({Problem::Severity::error, 3, 7, "pools.aws", "wrong"}, "f.yaml") ==
          "f.yaml:3:7: pools.aws: wrong");
    CHECK(to_text({Problem::Severity::warning, 3, 7, "", "odd"}, "f.yaml") ==
          "f.yaml:3:7: warning: odd");
    CHECK(to_text({Problem::Severity::error, 0, 0, "", "gone"}, "f.yaml") == "f.yaml: gone");
}

TEST_CASE("columns count characters") {
    const Loaded result = load_text("self: { region: \"äöü\", zoen: a }\n");
    REQUIRE_FALSE(result.problems.empty());
    CHECK(result.problems.back().path == "self.zoen");
    CHECK(result.problems.back().column == 24);
}

TEST_CASE("a file that cannot be read is a finding") {
    CHECK(load_file("/nonexistent/scrollgate.yaml").problems.at(0).message ==
          "cannot be read: No such file or directory");
    CHECK(load_file("/").problems.at(0).message == "a folder, not a file");
}

TEST_CASE("a file beyond the size limit is refused unread") {
    const Loaded result = load_text(std::string(limits::config_bytes + 1, '#'));
    REQUIRE(result.problems.size() == 1);
    CHECK(result.problems[0].message == "larger than 16MiB");
}

TEST_CASE("ten thousand routes load, and the one that never matches is found") {
    std::string text = listeners + pools + "routes:\n";
    for (int i = 0; i < 10'000; ++i)
        text += "  - { pools: [ aws ], match: { host: a.example, path_prefix: /" +
                std::to_string(i) + " } }\n";
    text += "  - { name: late, pools: [ aws ], match: { host: a.example, path_exact: /777/x } }\n";
    const Loaded result = load_text(text);
    CHECK(result.ok());
    REQUIRE(result.problems.size() == 1);
    CHECK(result.problems[0].path == "routes[10000]");
    CHECK(result.problems[0].message.find("routes[777]") != std::string::npos);
}

TEST_CASE("a configuration from the command line is an ordinary one") {
    const Loaded result = default_config_for_proxy(":8080", {"10.0.0.1:80", "app.example:81"});
    REQUIRE(result.ok());
    CHECK(result.config.listeners.at(0).bind.text() == "0.0.0.0:8080");
    CHECK(result.config.pools.at(0).endpoints.size() == 2);
    CHECK(result.config.routes.at(0).pools.at(0).name == "origin");
}

TEST_CASE("slips on the command line are told as such") {
    const Loaded result = default_config_for_proxy("x\n- y", {"10.0.0.1", "${HOME}:80"});
    CHECK_FALSE(result.ok());
    REQUIRE(result.problems.size() == 3);
    CHECK(to_text(result.problems[0], "proxy").starts_with("proxy: --from: "));
    CHECK(to_text(result.problems[1], "proxy") ==
          "proxy: --to: '10.0.0.1' has no port; write for example 10.0.0.1:8080");
    CHECK(result.problems[2].message.find("'${HOME}:80'") == 0);
}

TEST_CASE("what a reload cannot change is named, all else is not") {
    const Config running = loaded(listeners + pools + routes);
    Config next =
        loaded(listeners + pools + routes + "timeouts: { connect: 5s }\naccess_log: off\n");
    CHECK(not_reloadable(running, next).empty());
    next.workers = 3;
    next.frequency = 100;
    next.self.node = "edge";
    next.admin->token_file = "/elsewhere";
    CHECK(not_reloadable(running, next).size() == 4);
    CHECK(not_reloadable(running, next).at(0) ==
          "workers: auto stays in force; 3 needs a restart of the process");
    next = running;
    next.admin.reset();
    CHECK(not_reloadable(running, next).at(0) ==
          "admin: 127.0.0.1:9528 stays in force; off needs a restart of the process");
}

TEST_CASE("what a reload cannot change is named at each one, until it is as it was") {
    const Config running = loaded(listeners + pools + routes);
    Config file = loaded(listeners + pools + routes + "timeouts: { connect: 5s }\n");
    file.workers = 3;
    file.frequency = 100;
    file.self.node = "edge";
    file.admin.reset();
    file.cache.redis.emplace().url.emplace().host = "one.example";
    const std::vector<std::string> told = not_reloadable(running, file);
    CHECK(told.size() == 5);
    Config effective = file;
    keep_in_force(running, effective);
    CHECK(not_reloadable(effective, file) == told);
    CHECK(not_reloadable(effective, running).empty());
    CHECK(effective.timeouts.connect == std::chrono::seconds(5));
}

TEST_CASE("whatever of cache.redis has changed needs a restart, and no password is told") {
    Config running = loaded(listeners + pools + routes);
    running.cache.redis.emplace().url.emplace().host = "one.example";
    running.cache.redis->sentinel.emplace().master = "main";
    CHECK(not_reloadable(running, running).empty());
    const auto names = [&running](auto change) {
        Config next = running;
        change(*next.cache.redis);
        const std::vector<std::string> told = not_reloadable(running, next);
        REQUIRE(told.size() == 1);
        CHECK(told.front().find("secret") == std::string::npos);
        return told.front();
    };
    names([](Redis& r) { r.tls.emplace(); });
    names([](Redis& r) { r.cluster = Redis::Cluster::on; });
    names([](Redis& r) { r.sentinel->nodes.push_back({"two.example", 26379}); });
    names([](Redis& r) { r.database = 3; });
    names([](Redis& r) { r.from_replicas = true; });
    names([](Redis& r) { r.username = "edge"; });
    names([](Redis& r) { r.password_file = "/elsewhere"; });
    const std::string limits = names([](Redis& r) { r.timeout = std::chrono::milliseconds(50); });
    CHECK(limits.find("timeout 3ms, max_object 256KiB, queue 4096 of 16MiB)") != limits.npos);
    CHECK(limits.find("timeout 50ms") != limits.npos);
    const std::string told = names([](Redis& r) { r.password = "secret"; });
    CHECK(told.find("another password") != std::string::npos);
    names([](Redis& r) { r.url->password = "secret"; });
    Config off = running;
    off.cache.redis.reset();
    CHECK(not_reloadable(running, off).front().find("; off needs") != std::string::npos);
}

TEST_CASE("TLS, PROXY headers, HSTS and redirects read back from their effective form") {
    const Loaded loaded = load_text(R"(
trusted_proxies: [ 10.0.0.0/8 ]
timeouts: { handshake: 3s }
listeners:
  - address: 127.0.0.1:8443
    proxy_protocol: required
    tls:
      certificates: [ { cert: a.crt, key: a.key, ocsp: a.ocsp }, { cert: b.crt, key: b.key } ]
      min_version: "1.3"
      profile: modern
      client_ca: clients.crt
      client_auth: optional
      ticket_keys: tickets.key
      alpn: [ http/1.1 ]
  - { address: "127.0.0.1:8080", https_redirect: 8443 }
pools:
  aws:
    endpoints: [ "https://app.example", { address: "https://[::1]:8443" }, "10.0.0.1:80" ]
    proxy_protocol: v2
    tls:
      server_name: app.example
      ca: own.crt
      pin: sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
      cert: c.crt
      key: c.key
routes:
  - { pools: [ aws ], https_redirect: on, hsts: { max_age: 30d, include_subdomains: true } }
)");
    REQUIRE(loaded.problems.empty());
    const Config& config = loaded.config;
    REQUIRE(config.listeners[0].tls);
    const TlsServerOptions& tls = *config.listeners[0].tls;
    CHECK(tls.certificates.size() == 2);
    CHECK(tls.certificates[0].ocsp == "a.ocsp");
    CHECK(tls.min_version == TlsServerOptions::Version::tls13);
    CHECK(tls.profile == TlsServerOptions::Profile::modern);
    CHECK(tls.client_auth == TlsServerOptions::ClientAuth::optional);
    CHECK(tls.alpn == std::vector<std::string>{"http/1.1"});
    CHECK(config.listeners[0].proxy_protocol);
    CHECK_FALSE(config.listeners[1].tls);
    CHECK(config.listeners[1].https_redirect == 8443);
    const Pool& pool = config.pools[0];
    CHECK((pool.endpoints[0].tls && pool.endpoints[0].port == 443));
    CHECK((pool.endpoints[1].tls && pool.endpoints[1].host == "::1"));
    CHECK_FALSE(pool.endpoints[2].tls);
    CHECK(pool.proxy_protocol == Pool::ProxyProtocol::v2);
    CHECK(pool.tls->client({}).ca_file == "own.crt");
    CHECK(config.routes[0].https_redirect == 443);
    CHECK(config.routes[0].hsts->include_subdomains);
    const std::string effective = effective_yaml(config);
    const Loaded again = load_text(effective);
    REQUIRE(again.ok());
    CHECK(effective_yaml(again.config) == effective);
}

}  // namespace scrollgate::config
