// The series of pools, endpoints and routes: named by the contract, bounded, and well-formed.
#include "proxy/admin/status_metrics.hpp"

#include <doctest/doctest.h>

#include "tests/unit/proxy/observe/page.hpp"

using namespace scrollgate;
using scrollgate::test::has;
using scrollgate::test::lint;

namespace {

Status sample() {
    Status status;
    for (const char* name : {"aws", "gcp"}) {
        PoolStatus& pool = status.pools.emplace_back();
        pool.name = name;
        pool.state = "in";
        pool.score = 0.75;
        pool.share = 0.5;
        pool.active = 2;
        pool.standby = 1;
        pool.scale = {4, 3, 1, ""};
        pool.ejections = {3, 0, 0, 1};
        for (const char* address : {"10.0.0.1:80", "[::1]:80"}) {
            EndpointStatus& endpoint = pool.endpoints.emplace_back();
            endpoint.address = address;
            endpoint.state = "in";
        }
    }
    PoolStatus& aws = status.pools[0];
    aws.depends_on = {{"tcp://db:5432", true, ""}, {"redis://kv:6379", false, "refused"}};
    aws.availability = {0.5, 1.0, {}};
    EndpointStatus& first = aws.endpoints[0];
    first.state = "ejected";
    first.score = 0.25;
    first.in_flight = 3;
    first.requests = 100;
    first.failures = 7;
    first.ejections = 4;
    first.retries = 5;
    first.hedges = 6;
    first.success = 0.5;
    first.ewma_ms = 250;
    first.p99_ms = 2000;
    first.availability = {0.25, {}, {}};
    status.routes = {{"all", 1, 0, 0, true, 12.5, true}, {"moved", 1, 0, 0, false, 0, false}};
    status.availability = {1.0, {}, {}};
    status.cache.store = {4, 20, 30, 40, false, 6, 7, 8, 9};
    status.cache.collapsed = 10;
    status.cache.fills = 11;
    status.cache.waiting = 12;
    status.cache.lookup_p50_us = 0.5;
    status.cache.lookup_p99_us = 2;
    status.cache.lookups = {{{1.28e-7, 3}, {2.56e-7, 5}}, 7, 0.25};
    status.cache.curve = {{0.5, 0.25}, {4, 0.125}};
    return status;
}

}  // namespace

TEST_CASE("every value of the contract has its series") {
    const std::string page = status_metrics(sample());
    const std::string first = R"({pool="aws",endpoint="10.0.0.1:80")";
    CHECK(has(page, "scrollgate_endpoint_score" + first + "} 0.25"));
    CHECK(has(page, "scrollgate_endpoint_state" + first + R"(,state="ejected"} 1)"));
    CHECK(has(page, "scrollgate_endpoint_in_flight" + first + "} 3"));
    CHECK(has(page, "scrollgate_endpoint_requests_total" + first + "} 100"));
    CHECK(has(page, "scrollgate_endpoint_failures_total" + first + "} 7"));
    CHECK(has(page, "scrollgate_endpoint_ejections_total" + first + "} 4"));
    CHECK(has(page, "scrollgate_endpoint_retries_total" + first + "} 5"));
    CHECK(has(page, "scrollgate_endpoint_hedges_total" + first + "} 6"));
    CHECK(has(page, "scrollgate_endpoint_score_part" + first + R"(,part="success"} 0.5)"));
    CHECK(has(page, "scrollgate_endpoint_score_part" + first + R"(,part="ramp"} 1)"));
    CHECK(has(page, "scrollgate_endpoint_latency_seconds" + first + R"(,figure="ewma"} 0.25)"));
    CHECK(has(page, "scrollgate_endpoint_latency_seconds" + first + R"(,figure="p99"} 2)"));
    CHECK(page.find(first + R"(,figure="p50")") == std::string::npos);  // unknown
    CHECK(has(page, "scrollgate_endpoint_availability" + first + R"(,window="1h"} 0.25)"));
    CHECK(has(page, R"(scrollgate_ejections_total{pool="aws",reason="refused"} 3)"));
    CHECK(has(page, R"(scrollgate_ejections_total{pool="aws",reason="unanswered"} 0)"));
    CHECK(has(page, R"(scrollgate_ejections_total{pool="gcp",reason="success_rate"} 1)"));
    CHECK(has(page, R"(scrollgate_pool_endpoints{pool="gcp",kind="active"} 2)"));
    CHECK(has(page, R"(scrollgate_pool_endpoints{pool="gcp",kind="standby"} 1)"));
    CHECK(has(page, R"(scrollgate_pool_endpoints{pool="gcp",kind="wanted"} 4)"));
    CHECK(has(page, R"(scrollgate_pool_endpoints{pool="gcp",kind="pending"} 1)"));
    CHECK(has(page, R"(scrollgate_pool_state{pool="aws",state="in"} 1)"));
    CHECK(has(page, R"(scrollgate_pool_score{pool="aws"} 0.75)"));
    CHECK(has(page, R"(scrollgate_pool_share{pool="aws"} 0.5)"));
    CHECK(has(page, R"(scrollgate_pool_availability{pool="aws",window="24h"} 1)"));
    CHECK(has(page, R"(scrollgate_dependency_up{pool="aws",dependency="tcp://db:5432"} 1)"));
    CHECK(has(page, R"(scrollgate_dependency_up{pool="aws",dependency="redis://kv:6379"} 0)"));
    CHECK(has(page, R"(scrollgate_retry_budget{route="all"} 12.5)"));
    CHECK(has(page, R"(scrollgate_route_panic{route="all"} 1)"));
    CHECK(page.find(R"(route="moved")") == std::string::npos);  // it asks nobody
    CHECK(has(page, R"(scrollgate_availability{window="1h"} 1)"));
    CHECK(has(page, "scrollgate_endpoints_left_out 0"));
}

TEST_CASE("the cache has its series") {
    const std::string page = status_metrics(sample());
    CHECK(has(page, "scrollgate_cache_bytes 20"));
    CHECK(has(page, "scrollgate_cache_content_bytes 30"));
    CHECK(has(page, "scrollgate_cache_capacity_bytes 40"));
    CHECK(has(page, "scrollgate_cache_entries 4"));
    CHECK(has(page, "scrollgate_cache_evictions_total 6"));
    CHECK(has(page, "scrollgate_cache_expirations_total 7"));
    CHECK(has(page, "scrollgate_cache_writes_total 8"));
    CHECK(has(page, "scrollgate_cache_purged_total 9"));
    CHECK(has(page, "scrollgate_cache_collapsed_total 10"));
    CHECK(has(page, "scrollgate_cache_fills 11"));
    CHECK(has(page, "scrollgate_cache_waiting 12"));
    CHECK(has(page, "# TYPE scrollgate_cache_lookup_seconds histogram"));
    CHECK(has(page, R"(scrollgate_cache_lookup_seconds_bucket{le="1.28e-07"} 3)"));
    CHECK(has(page, R"(scrollgate_cache_lookup_seconds_bucket{le="2.56e-07"} 5)"));
    CHECK(has(page, R"(scrollgate_cache_lookup_seconds_bucket{le="+Inf"} 7)"));
    CHECK(has(page, "scrollgate_cache_lookup_seconds_count 7"));
    CHECK(has(page, "scrollgate_cache_lookup_seconds_sum 0.25"));
    CHECK(has(page, R"(scrollgate_cache_miss_ratio{memory="0.5"} 0.25)"));
    CHECK(has(page, R"(scrollgate_cache_miss_ratio{memory="4"} 0.125)"));
}

TEST_CASE("endpoints beyond the bound are left out, and said to be") {
    const std::string page = status_metrics(sample(), 3);
    CHECK(page.find(R"({pool="gcp",endpoint="10.0.0.1:80"})") != std::string::npos);
    CHECK(page.find(R"({pool="gcp",endpoint="[::1]:80"})") == std::string::npos);
    CHECK(has(page, "scrollgate_endpoints_left_out 1"));
    CHECK(page.find(R"(scrollgate_pool_score{pool="gcp"})") != std::string::npos);
}

TEST_CASE("promtool finds nothing wrong with the page, alone or joined") {
    Metrics metrics(1);
    CHECK(lint(status_metrics(Status{})) == "");
    CHECK(lint(metrics.text(0) + status_metrics(sample())) == "");
}
