// What is counted, how it is shown, and that strangers cannot make series.
#include "proxy/observe/metrics.hpp"

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/observe/process_facts.hpp"
#include "proxy/observe/series.hpp"
#include "tests/unit/proxy/observe/page.hpp"

using namespace scrollgate;
using scrollgate::test::has;
using scrollgate::test::lint;
using namespace std::chrono_literals;

namespace {

ExchangeRecord record(std::uint16_t status, Duration took, std::uint32_t attempts = 1) {
    ExchangeRecord r;
    r.started = TimePoint(1s);
    r.ended = r.started + took;
    r.status = status;
    r.attempts = attempts;
    r.bytes_in = 10;
    r.bytes_out = 100;
    return r;
}

}  // namespace

TEST_CASE("requests are summed over workers by route and code") {
    Metrics metrics(2);
    const std::uint32_t nft = metrics.route_series("nft");
    metrics.observe(0, nft, record(200, 1ms));
    metrics.observe(1, nft, record(200, 700ms));
    metrics.observe(1, nft, record(502, 40s, 3));
    metrics.observe(0, Metrics::no_route, record(404, 1us));
    const std::string page = metrics.text(0);
    CHECK(has(page, R"(scrollgate_requests_total{route="nft",code="200"} 2)"));
    CHECK(has(page, R"(scrollgate_requests_total{route="nft",code="502"} 1)"));
    CHECK(has(page, R"(scrollgate_requests_total{route="-",code="404"} 1)"));
    CHECK(has(page, R"(scrollgate_retries_total{route="nft"} 2)"));
    CHECK(has(page, R"(scrollgate_request_body_bytes_total{route="nft"} 30)"));
    CHECK(has(page, R"(scrollgate_response_body_bytes_total{route="nft"} 300)"));
    const std::string bucket = R"(scrollgate_request_duration_seconds_bucket{route="nft",le=)";
    CHECK(has(page, bucket + R"("0.0005"} 0)"));
    CHECK(has(page, bucket + R"("0.001"} 1)"));
    CHECK(has(page, bucket + R"("1"} 2)"));
    CHECK(has(page, bucket + R"("30"} 2)"));
    CHECK(has(page, bucket + R"("+Inf"} 3)"));
    CHECK(has(page, R"(scrollgate_request_duration_seconds_count{route="nft"} 3)"));
    CHECK(has(page, R"(scrollgate_request_duration_seconds_sum{route="nft"} 40.701)"));
    CHECK(metrics.route_totals(nft).requests == 3);
    CHECK(metrics.route_totals(nft).retries == 2);
}

TEST_CASE("requests are counted by what the cache did, and fills apart from them") {
    Metrics metrics(1);
    const std::uint32_t nft = metrics.route_series("nft");
    for (const CacheResult result : {CacheResult::hit, CacheResult::hit, CacheResult::miss,
                                     CacheResult::stale, CacheResult::pass, CacheResult::none}) {
        ExchangeRecord one = record(200, 1ms);
        one.cache = result;
        metrics.observe(0, nft, one);
    }
    ExchangeRecord fill = record(200, 1ms, 3);
    fill.kind = ExchangeRecord::Kind::fill;
    metrics.observe(0, nft, fill);
    fill.outcome = "upstream_reset";
    metrics.observe(0, nft, fill);
    fill.outcome = facts(ErrorKind::cancelled).reason;  // nobody needed it any more: no failure
    metrics.observe(0, nft, fill);
    const std::string page = metrics.text(0);
    CHECK(has(page, R"(scrollgate_cache_requests_total{route="nft",result="hit"} 2)"));
    CHECK(has(page, R"(scrollgate_cache_requests_total{route="nft",result="miss"} 1)"));
    CHECK(has(page, R"(scrollgate_cache_requests_total{route="nft",result="stale"} 1)"));
    CHECK(has(page, R"(scrollgate_cache_requests_total{route="nft",result="pass"} 1)"));
    CHECK(has(page, R"(scrollgate_cache_fills_total{route="nft",ok="true"} 2)"));
    CHECK(has(page, R"(scrollgate_cache_fills_total{route="nft",ok="false"} 1)"));
    CHECK(has(page, R"(scrollgate_requests_total{route="nft",code="200"} 6)"));
    CHECK(has(page, R"(scrollgate_retries_total{route="nft"} 6)"));
    CHECK(metrics.route_totals(nft).hits == 2);
    CHECK(metrics.route_totals(nft).fills == 3);
}

TEST_CASE("a name keeps its series") {
    Metrics metrics(1);
    const std::uint32_t first = metrics.route_series("a");
    CHECK(first != Metrics::no_route);
    CHECK(metrics.route_series("b") != first);
    CHECK(metrics.route_series("a") == first);
    CHECK(metrics.route_series("-") == Metrics::no_route);
    CHECK(metrics.pool_series("p", "aws", "r1") == metrics.pool_series("p", "aws", "r1"));
    CHECK(metrics.pool_series("p", "aws", "r1") != metrics.pool_series("p", "aws", "r2"));
}

TEST_CASE("names beyond the capacity are counted together") {
    Metrics metrics(1);
    std::uint32_t last = 0;
    for (std::size_t i = 0; i <= CellTable<RouteCell>::capacity; ++i) {
        last = metrics.route_series("r" + std::to_string(i));
    }
    metrics.observe(0, last, record(200, 1ms));
    CHECK(has(metrics.text(0), R"(scrollgate_requests_total{route="other",code="200"} 1)"));
}

TEST_CASE("a route that answers every code stays bounded") {
    Metrics metrics(1);
    const std::uint32_t route = metrics.route_series("odd");
    for (std::uint16_t code = 200; code < 600; ++code)
        metrics.observe(0, route, record(code, 1ms));
    const std::string page = metrics.text(0);
    CHECK(has(page, R"(scrollgate_requests_total{route="odd",code="215"} 1)"));
    CHECK(has(page, R"(scrollgate_requests_total{route="odd",code="2xx"} 84)"));
    CHECK(has(page, R"(scrollgate_requests_total{route="odd",code="5xx"} 100)"));
    CHECK(page.find(R"(code="216")") == std::string::npos);
}

TEST_CASE("a tunnel counts as a request but not as a duration") {
    Metrics metrics(1);
    const std::uint32_t route = metrics.route_series("ws");
    metrics.observe(0, route, record(101, 1h));
    CHECK(has(metrics.text(0), R"(scrollgate_requests_total{route="ws",code="101"} 1)"));
    CHECK(has(metrics.text(0), R"(scrollgate_request_duration_seconds_count{route="ws"} 0)"));
}

TEST_CASE("attempts are counted by pool and reason") {
    Metrics metrics(2);
    const std::uint32_t aws = metrics.pool_series("aws", "aws", "us-east-1");
    const std::uint32_t moved = metrics.pool_series("aws", "aws", "us-west-2");
    (void)metrics.pool_series("gcp", "gcp", "eu");
    metrics.attempt(0, aws, std::nullopt, 2ms);
    metrics.attempt(1, aws, ErrorKind::connect_refused, 1ms);
    metrics.attempt(1, moved, ErrorKind::upstream_timeout, 1ms);
    const std::string page = metrics.text(0);
    const std::string name = "scrollgate_upstream_requests_total";
    CHECK(has(page, name + R"({pool="aws",provider="aws",region="us-east-1",outcome="ok"} 1)"));
    CHECK(has(page, name + R"({pool="aws",provider="aws",region="us-east-1",)"
                           R"(outcome="connect_refused"} 1)"));
    CHECK(has(page, name + R"({pool="aws",provider="aws",region="us-west-2",)"
                           R"(outcome="upstream_timeout"} 1)"));
    CHECK(has(page, name + R"({pool="gcp",provider="gcp",region="eu",outcome="ok"} 0)"));
    CHECK(has(page, R"(scrollgate_upstream_duration_seconds_count{pool="aws"} 3)"));
    CHECK(page.find("pool=\"other\"") == std::string::npos);
}

TEST_CASE("connections are told apart by side and state") {
    Metrics metrics(2);
    metrics.connections(0).client_active = 5;
    metrics.connections(1).client_active = 2;
    metrics.connections(1).client_idle = 2;
    metrics.connections(0).upstream_active = 3;
    metrics.connections(0).upstream_idle = 1;
    metrics.connections(0).shed = 4;
    const std::string page = metrics.text(7);
    CHECK(has(page, R"(scrollgate_connections{side="client",state="active"} 5)"));
    CHECK(has(page, R"(scrollgate_connections{side="client",state="idle"} 2)"));
    CHECK(has(page, R"(scrollgate_connections{side="upstream",state="active"} 2)"));
    CHECK(has(page, "scrollgate_connections_shed_total 4"));
    CHECK(has(page, R"(scrollgate_worker_connections{worker="0"} 5)"));
    CHECK(has(page, R"(scrollgate_worker_connections{worker="1"} 2)"));
    CHECK(has(page, "scrollgate_access_log_dropped_total 7"));
    CHECK(metrics.connection_totals().client_active == 7);
}

TEST_CASE("loads of the configuration are counted and dated") {
    Metrics metrics(1);
    metrics.config_loaded(true, WallTime(1'700'000'000s));
    metrics.config_loaded(false, WallTime(1'700'000'100s));
    const std::string page = metrics.text(0);
    CHECK(has(page, R"(scrollgate_config_loads_total{result="ok"} 1)"));
    CHECK(has(page, R"(scrollgate_config_loads_total{result="failed"} 1)"));
    CHECK(has(page, "scrollgate_config_last_load_successful 0"));
    CHECK(has(page, "scrollgate_config_last_success_timestamp_seconds 1700000000"));
}

TEST_CASE("promtool has nothing to say against the page") {
    Metrics metrics(2);
    CHECK(lint(metrics.text(0)) == "");
    const std::uint32_t odd = metrics.route_series("a \"quoted\" \\ name\n");
    metrics.observe(0, odd, record(200, 3ms));
    metrics.observe(1, Metrics::no_route, record(404, 1us));
    const std::uint32_t pool = metrics.pool_series("aws", "aws", "us-east-1");
    metrics.attempt(0, pool, std::nullopt, 2ms);
    metrics.attempt(1, metrics.pool_series("aws", "other", ""), ErrorKind::connect_timeout, 1s);
    metrics.config_loaded(true, WallTime(1'700'000'000s));
    CHECK(lint(metrics.text(3)) == "");
    CHECK(lint(metrics.text(3) + "broken{ 1\n") != "");  // promtool is there and looks
}

TEST_CASE("a reader sees a worker's counts while it counts") {
    Metrics metrics(1);
    const std::uint32_t route = metrics.route_series("busy");
    std::thread worker([&] {
        for (int i = 0; i < 20'000; ++i)
            metrics.observe(0, route, record(200, 1ms));
    });
    std::uint64_t seen = 0;
    while (seen < 20'000) {
        const std::uint64_t now = metrics.route_totals(route).requests;
        REQUIRE(now >= seen);
        seen = now;
        (void)metrics.text(0);
    }
    worker.join();
}

TEST_CASE("the kernel's facts about this process are plausible") {
    const ProcessFacts facts = read_process_facts();
    CHECK(facts.resident_bytes > 1'000'000);
    CHECK(facts.virtual_bytes >= facts.resident_bytes);
    CHECK(facts.open_descriptors >= 3);
    CHECK(facts.max_descriptors > facts.open_descriptors);
    CHECK(facts.start_time_seconds > 1e9);
}
