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
    status.pools = {
        {"aws", "aws", "us-east-1", "up", {{"10.0.1.10:8080", "a", "up", 1, 2, 3, 4, 5}}},
        {"gcp", "gcp", "", "unresolved", {}}};
    status.routes = {{"méta", 7, 1}};
    status.connections.client_active = 9;
    status.connections.client_idle = 8;
    status.memory_bytes = 10'485'760;
    return status;
}

}  // namespace

TEST_CASE("the status is the contract's object") {
    CHECK(boost::json::parse(status_json(sample())) == boost::json::parse(R"({
        "version": "0.1.0", "uptime_s": 93784, "state": "ready", "node": "edge-1",
        "snapshot": {"id": 3, "loaded_at": "2026-03-02T03:04:05Z"},
        "pools": [
          {"name": "aws", "provider": "aws", "region": "us-east-1", "state": "up",
           "endpoints": [{"address": "10.0.1.10:8080", "zone": "a", "state": "up", "in_flight": 1,
                          "requests": 2, "failures": 3, "retries": 4, "connections": 5}]},
          {"name": "gcp", "provider": "gcp", "region": "", "state": "unresolved",
           "endpoints": []}],
        "routes": [{"name": "méta", "requests": 7, "retries": 1}],
        "connections": {"client": {"open": 9, "idle": 8, "accepted": 0, "shed": 0},
                        "upstream": {"open": 0, "idle": 0}, "tunnels": 0},
        "memory": {"resident": 10485760}})"));
}

TEST_CASE("the table for people is aligned and has colours only when asked for") {
    const auto parsed = boost::json::parse(status_json(sample())).as_object();
    const std::string table = status_table(parsed, false);
    CHECK(table ==
          "scrollgate 0.1.0  ready  up 1 d 2 h  node edge-1\n"
          "snapshot 3 loaded 2026-03-02T03:04:05Z  memory 10.0 MiB\n"
          "connections: client 9 (8 idle), upstream 0 (0 idle), tunnels 0\n"
          "\n"
          "  POOL PROVIDER REGION    ENDPOINT       ZONE STATE      IN FLIGHT REQUESTS FAILURES "
          "RETRIES CONNECTIONS\n"
          "  aws  aws      us-east-1 10.0.1.10:8080 a    up                 1        2        3 "
          "      4           5\n"
          "  gcp  gcp      -         -              -    unresolved         -        -        - "
          "      -           -\n"
          "\n"
          "  ROUTE REQUESTS RETRIES\n"
          "  méta         7       1\n");
    CHECK(status_table(parsed, true).find("\x1b[32mready\x1b[0m") != std::string::npos);
}

TEST_CASE("a name cannot steer the terminal") {
    Status status = sample();
    status.routes = {{"evil\x1b[2J", 1, 0}};
    const auto parsed = boost::json::parse(status_json(status)).as_object();
    CHECK(status_table(parsed, false).find('\x1b') == std::string::npos);
}
