// The status as JSON, as the contract names its fields, and as the table that people read.
#include "proxy/admin/status.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "proxy/cli/status_table.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

Status sample() {
    Status status;
    status.version = "0.1.0";
    status.node = "edge-1";
    status.uptime = 93'784s + 900ms;
    status.state = Status::State::ready;
    status.snapshot_id = 3;
    status.loaded_at = WallTime(1'772'420'645s);
    PoolStatus& aws = status.pools.emplace_back();
    aws.name = aws.provider = "aws";
    aws.region = "us-east-1";
    aws.state = "degraded";
    aws.why = "1 of 2 endpoints in service are in, mean score 0.40";
    aws.score = 0.4;
    aws.share = 0.25;
    aws.active = 2;
    aws.scale = {3, 2, 1, "scaled by 1.5 from 2; 1 more wanted than there are"};
    aws.depends_on = {{"tcp://db:5432", false, "refused"}};
    aws.availability = {1.0, 0.99951, {}};
    aws.ejections = {4, 0, 0, 1};
    EndpointStatus& first = aws.endpoints.emplace_back();
    first.address = "10.0.1.10:8080";
    first.zone = "a";
    first.state = "in";
    first.why = "as configured";
    first.score = 0.8;
    first.success = 0.8;
    first.ewma_ms = 1.23456;
    first.p50_ms = 1;
    first.p99_ms = 20.5;
    first.in_flight = 1;
    first.requests = 2;
    first.failures = 3;
    first.retries = 4;
    first.connections = 5;
    first.ejections = 6;
    first.hedges = 7;
    first.availability = {0.5, {}, {}};
    EndpointStatus& second = aws.endpoints.emplace_back();
    second.address = "[::1]:80";
    second.state = "ejected";
    second.why = "refused 2 connections in a row, for 5 s";
    PoolStatus& gcp = status.pools.emplace_back();
    gcp.name = gcp.provider = "gcp";
    gcp.state = "out";
    gcp.why = "no address is known";
    gcp.scale.why = "as configured";
    status.routes = {{"méta", 7, 1, 2, true, 99.5, true}, {"moved", 3, 0, 0, false, 0, false}};
    status.routes[0].cache = {5, 1, 3, 2};
    CacheStatus& cache = status.cache;
    cache.store = {4, 2'097'152, 3'145'728, 4'194'304, false, 6, 7, 8, 9};
    cache.counts = {5, 1, 3, 2};
    cache.bytes_hit = 3;
    cache.bytes_missed = 1;
    cache.collapsed = 10;
    cache.fills = 11;
    cache.waiting = 12;
    cache.lookup_p50_us = 0.5;
    cache.lookup_p99_us = 2.5;
    cache.curve = {{0.5, 0.5}, {1, 1.0 / 3}, {2, 0.3}, {4, 0.3}};
    status.availability = {1.0, 1.0, 0.999};
    status.connections.client_active = 9;
    status.connections.client_idle = 8;
    status.connections.handshakes = 5;
    status.pools[0].tls = "verified";
    status.pools[1].tls = "off";
    status.certificates = {{"tls", "/etc/site.crt", {"site.test"}, status.loaded_at, -2}};
    status.memory_bytes = 10'485'760;
    return status;
}

}  // namespace

TEST_CASE("the status is the contract's object") {
    CHECK(boost::json::parse(status_json(sample())) == boost::json::parse(R"({
        "version": "0.1.0", "uptime_s": 93784, "state": "ready", "node": "edge-1",
        "snapshot": {"id": 3, "loaded_at": "2026-03-02T03:04:05Z"},
        "pools": [
          {"name": "aws", "provider": "aws", "region": "us-east-1",
           "tls": "verified", "state": "degraded",
           "why": "1 of 2 endpoints in service are in, mean score 0.40", "score": 0.4,
           "share": 0.25, "active": 2, "standby": 0,
           "scale": {"wanted": 3, "in_service": 2, "pending": 1,
                     "why": "scaled by 1.5 from 2; 1 more wanted than there are"},
           "depends_on": [{"url": "tcp://db:5432", "up": false, "why": "refused"}],
           "availability": {"1h": 1.0, "24h": 0.99951, "30d": null},
           "endpoints": [
             {"address": "10.0.1.10:8080", "zone": "a", "state": "in", "why": "as configured",
              "standby": false, "score": 0.8,
              "parts": {"check": 1.0, "success": 0.8, "latency": 1.0, "ramp": 1.0,
                        "dependency": 1.0},
              "latency_ms": {"ewma": 1.235, "p50": 1.0, "p99": 20.5}, "in_flight": 1,
              "requests": 2, "failures": 3, "ejections": 6, "retries": 4, "hedges": 7,
              "connections": 5, "availability": {"1h": 0.5, "24h": null, "30d": null}},
             {"address": "[::1]:80", "zone": "", "state": "ejected",
              "why": "refused 2 connections in a row, for 5 s", "standby": false, "score": 1.0,
              "parts": {"check": 1.0, "success": 1.0, "latency": 1.0, "ramp": 1.0,
                        "dependency": 1.0},
              "latency_ms": {"ewma": null, "p50": null, "p99": null}, "in_flight": 0,
              "requests": 0, "failures": 0, "ejections": 0, "retries": 0, "hedges": 0,
              "connections": 0, "availability": {"1h": null, "24h": null, "30d": null}}]},
          {"name": "gcp", "provider": "gcp", "region": "", "tls": "off", "state": "out",
           "why": "no address is known", "score": 0.0, "share": 0.0, "active": 0, "standby": 0,
           "scale": {"wanted": 0, "in_service": 0, "pending": 0, "why": "as configured"},
           "depends_on": [], "availability": {"1h": null, "24h": null, "30d": null},
           "endpoints": []}],
        "routes": [
          {"name": "méta", "requests": 7, "retries": 1, "hedges": 2, "budget": 99.5,
           "panic": true,
           "cache": {"hits": 5, "misses": 3, "stale": 1, "passes": 2}},
          {"name": "moved", "requests": 3, "retries": 0, "hedges": 0, "budget": null,
           "panic": false, "cache": null}],
        "certificates": [
          {"listener": "tls", "file": "/etc/site.crt", "names": ["site.test"],
           "expires": "2026-03-02T03:04:05Z", "days_left": -2}],
        "cache": {"entries": 4, "bytes": 2097152, "bytes_raw": 3145728, "capacity": 4194304,
                  "hit_rate": 0.6667, "byte_hit_rate": 0.75, "evictions": 6, "expirations": 7,
                  "writes": 8, "collapsed": 10, "purged": 9, "fills": 11, "waiting": 12,
                  "lookup_us": {"p50": 0.5, "p99": 2.5},
                  "limited_by": "memory",
                  "miss_ratio_curve": [{"times": 0.5, "miss_ratio": 0.5},
                                       {"times": 1.0, "miss_ratio": 0.3333},
                                       {"times": 2.0, "miss_ratio": 0.3},
                                       {"times": 4.0, "miss_ratio": 0.3}],
                  "redis": null, "hits": 5, "misses": 3, "stale": 1, "passes": 2},
        "connections": {"client": {"open": 9, "idle": 8, "accepted": 0, "shed": 0},
                        "upstream": {"open": 0, "idle": 0}, "tunnels": 0,
                        "tls": {"handshaking": 0, "handshakes": 5, "resumed": 0, "failed": 0,
                                "late": 0, "shed": 0}},
        "memory": {"resident": 10485760, "cache": 2097152, "cache_limit": 4194304},
        "availability": {"1h": 1.0, "24h": 1.0, "30d": 0.999}})"));
}

TEST_CASE("the table for people is aligned and has colours only when asked for") {
    const auto parsed = boost::json::parse(status_json(sample())).as_object();
    const std::string table = status_table(parsed, false);
    CHECK(table ==
          "scrollgate 0.1.0  ready  up 1 d 2 h  node edge-1\n"
          "snapshot 3 loaded 2026-03-02T03:04:05Z  memory 10.0 MiB\n"
          "connections: client 9 (8 idle), upstream 0 (0 idle), tunnels 0\n"
          "cache: 4 objects, 2.0 MiB of 4.0 MiB (3.0 MiB of content), hit rate 66.7% (75.0% by "
          "bytes), look-up 0.5 us, p99 2.5 us\n"
          "  8 stored, 6 evicted, 7 expired, 9 purged, 10 collapsed\n"
          "  more memory pays: 3.3% more hits with double (hit rate 50.0% with half the memory, "
          "66.7% with this, 70.0% with double, 70.0% with four times)\n"
          "\n"
          "  POOL PROVIDER REGION    STATE    SCORE SHARE ACTIVE STANDBY WANTED  UP 24H "
          "WHY\n"
          "  aws  aws      us-east-1 degraded  0.40   25%      2       0      3 99.951% 1 "
          "of 2 endpoints in service are in, mean score 0.40; gone: tcp://db:5432; scaled "
          "by 1.5 from 2; 1 more wanted than there are\n"
          "  gcp  gcp      -         out       0.00    0%      0       0      0       - no "
          "address is known\n"
          "\n"
          "  POOL ENDPOINT       ZONE STATE   SCORE P50 MS P99 MS IN FLIGHT REQUESTS "
          "FAILURES EJECTIONS WHY\n"
          "  aws  10.0.1.10:8080 a    in       0.80    1.0   20.5         1        2       "
          " 3         6 as configured\n"
          "  aws  [::1]:80       -    ejected  1.00      -      -         0        0       "
          " 0         0 refused 2 connections in a row, for 5 s\n"
          "\n"
          "  ROUTE REQUESTS HITS STALE MISSES PASSES RETRIES HEDGES BUDGET STATE\n"
          "  méta         7    5     1      3      2       1      2    100 panic: nothing is "
          "well, all are tried\n"
          "  moved        3    -     -      -      -       0      0      - -\n");
    CHECK(status_table(parsed, true).find("\x1b[32mready\x1b[0m") != std::string::npos);
}

TEST_CASE("a name cannot steer the terminal") {
    Status status = sample();
    status.routes = {{"evil\x1b[2J", 1, 0, 0, true, 1, false}};
    const auto parsed = boost::json::parse(status_json(status)).as_object();
    CHECK(status_table(parsed, false).find('\x1b') == std::string::npos);
}
