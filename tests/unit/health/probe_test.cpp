// Probes, probers and the webhook against scripted servers.
#include <doctest/doctest.h>

#include "health/plans.hpp"
#include "health/prober.hpp"
#include "tests/unit/health/probe_lab.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

const ProbePlan http = plan_of(ProbePlan::Kind::http);

}  // namespace

TEST_CASE("a connection that is accepted passes, and nothing is sent") {
    Lab lab;
    CHECK(lab.probe(plan_of(ProbePlan::Kind::tcp)).passed);
    CHECK(lab.dialer.peers[0]->written().empty());
    CHECK(lab.dialer.peers[0]->closed());
    lab.script = [](ScriptedPeer& peer) {
        peer.connect_result({ECONNREFUSED, boost::system::system_category()});
    };
    const ProbeResult refused = lab.probe(plan_of(ProbePlan::Kind::tcp));
    CHECK_FALSE(refused.passed);
    CHECK(refused.why == "connect: Connection refused");
}

TEST_CASE("an exchange is one request with the Host, and the connection is kept") {
    Lab lab;
    lab.answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    for (int i = 0; i < 3; ++i)
        CHECK(lab.probe(http).passed);
    REQUIRE(lab.dialer.peers.size() == 1);
    CHECK(lab.dialer.peers[0]->written().starts_with(
        "GET /healthz HTTP/1.1\r\nHost: app.test\r\nUser-Agent: scrollgate/"));
    CHECK_FALSE(lab.dialer.peers[0]->closed());
}

TEST_CASE("status and body decide") {
    Lab lab;
    lab.answers("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    CHECK(lab.probe(http).why == "status 503");
    ProbePlan plan = http;
    plan.expect = {{200, 200}, {503, 503}};
    CHECK(lab.probe(plan).passed);
    plan = http;
    plan.body = "\"db\": \"up\"";
    lab.one.close();
    lab.answers(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4\r\n{\"db\r\n9\r\n\": \"up\"}\n\r\n0\r\n\r\n");
    CHECK(lab.probe(plan).passed);
    CHECK_FALSE(lab.dialer.peers.back()->closed());
    plan.body = "down";
    CHECK(lab.probe(plan).why == "its body lacks \"down\"");
}

TEST_CASE("interim answers are passed over; a body may end with its connection") {
    Lab lab;
    lab.answers("HTTP/1.1 103 Hints\r\n\r\nHTTP/1.0 200 OK\r\n\r\nready", true);
    ProbePlan plan = http;
    plan.body = "ready";
    CHECK(lab.probe(plan).passed);
    CHECK(lab.dialer.peers[0]->closed());
}

TEST_CASE("what is no answer fails") {
    Lab lab;
    lab.answers("SSH-2.0-OpenSSH\r\n");
    CHECK(lab.probe(http).why.starts_with("not HTTP"));
    lab.answers("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", true);
    CHECK(lab.probe(http).why == "connection closed");
    lab.answers("", true);
    CHECK(lab.probe(http).why == "connection closed");
    std::string endless = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 900; ++i)
        endless += "X-Filler-Field: " + std::string(40, 'x') + "\r\n";
    lab.answers(endless);
    CHECK(lab.probe(http).why.starts_with("not HTTP"));
}

TEST_CASE("reading a body is bounded, and what is left of it ends the connection") {
    Lab lab;
    lab.answers("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(900'000, 'x'));
    CHECK(lab.probe(http).passed);
    CHECK(lab.dialer.peers[0]->closed());
    CHECK(lab.dialer.peers[0]->delivered() < 200'000);
}

TEST_CASE("the time is over the whole") {
    Lab lab;
    CHECK(lab.probe(http).why == "timeout");  // nothing is answered
    CHECK(lab.dialer.peers[0]->closed());
    lab.answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    CHECK(lab.probe(http).why == "timeout");
    lab.script = [&](ScriptedPeer&) {
        lab.faults.strike(lab.faults.seen() + 1, Faults::Way::stall);
    };
    CHECK(lab.probe(http).why == "timeout");  // not even a connection
}

TEST_CASE("a kept connection that has died is replaced, and that is no failure") {
    Lab lab;
    lab.answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK(lab.probe(http).passed);
    lab.dialer.peers[0]->finish();  // seen before it is used
    lab.settle();
    CHECK(lab.probe(http).passed);
    CHECK(lab.dialer.peers.size() == 2);
    // It dies under the request.
    lab.dialer.peers[1]->on_change([](ScriptedPeer& peer) { peer.reset(); });
    CHECK(lab.probe(http).passed);
    CHECK(lab.dialer.peers.size() == 3);
}

TEST_CASE("Redis says PONG, or asks for a password; all else fails") {
    Lab lab;
    const ProbePlan redis = plan_of(ProbePlan::Kind::redis);
    lab.answers("+PONG\r\n");
    CHECK(lab.probe(redis).passed);
    CHECK(lab.dialer.peers[0]->written() == "PING\r\n");
    lab.answers("-NOAUTH Authentication required.\r\n");
    CHECK(lab.probe(redis).passed);
    lab.answers("-LOADING Redis is loading\r\n");
    CHECK(lab.probe(redis).why.find("LOADING") != std::string::npos);
    lab.answers(std::string(1000, 'x'));
    CHECK(lab.probe(redis).why == "does not speak Redis");
}

TEST_CASE("of several addresses one that passes is enough; a name without one fails") {
    Lab lab;
    ProbePlan plan = plan_of(ProbePlan::Kind::tcp);
    plan.addresses.push_back(*SocketAddress::from_ip("192.0.2.2", 80));
    lab.script = [](ScriptedPeer& peer) {
        if (peer.address().ip() == "192.0.2.1")
            peer.connect_result({ECONNREFUSED, boost::system::system_category()});
    };
    CHECK(lab.probe(plan).passed);
    plan.addresses.clear();
    CHECK(lab.probe(plan).why == "its name does not resolve");
}

TEST_CASE("every operation may fail in every way: a verdict comes and nothing is left") {
    for (const Faults::Way way :
         {Faults::Way::reset, Faults::Way::late_reset, Faults::Way::end, Faults::Way::stall}) {
        for (std::size_t nth = 1; nth < 40; ++nth) {
            Lab lab;
            lab.answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            lab.faults.strike(nth, way);
            static_cast<void>(lab.probe(http));
            static_cast<void>(lab.probe(http));
            lab.one.close();
            lab.settle();
            CHECK(lab.faults.open == 0);
            CHECK(lab.loop.small_buffers().leased() == 0);
            if (lab.faults.seen() < nth) break;
        }
    }
}

TEST_CASE("a prober asks when it is due, and ends when it is told to, whatever is under way") {
    Lab lab;
    std::vector<ProbeResult> results;
    Prober prober(
        lab.loop, lab.dialer, [] { return http; },
        [&](const ProbeResult& result, TimePoint) {
            results.push_back(result);
            return lab.clock.now() + 20ms;
        },
        lab.clock.now() + 5ms);
    lab.answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    lab.settle();
    CHECK(results.empty());
    lab.pass(6ms);
    CHECK(results.size() == 1);
    for (int i = 0; i < 10; ++i)
        lab.pass(21ms);
    CHECK(results.size() == 11);
    CHECK(lab.dialer.peers.size() == 1);
    prober.reschedule(lab.clock.now() + 1h);
    lab.settle();
    lab.pass(1s);
    CHECK(results.size() == 11);
    lab.dialer.peers[0]->on_change([](ScriptedPeer&) {});  // no answer any more
    prober.reschedule(lab.clock.now());
    lab.settle();
    lab.pass(1ms);
    CHECK(prober.running());
    prober.stop();
    lab.settle();
    CHECK_FALSE(prober.running());
    CHECK(results.size() == 11);
    CHECK(lab.faults.open == 0);
}

TEST_CASE("what we have run out of ourselves says nothing of the endpoint") {
    namespace errc = boost::system::errc;
    for (const auto own :
         {errc::too_many_files_open, errc::too_many_files_open_in_system, errc::no_buffer_space,
          errc::not_enough_memory, errc::address_not_available, errc::connection_refused}) {
        Lab lab;
        lab.script = [&](ScriptedPeer& peer) { peer.connect_result(make_error_code(own)); };
        ProbePlan plan = http;
        plan.addresses.push_back(*SocketAddress::from_ip("192.0.2.2", 80));
        const ProbeResult result = lab.probe(plan);
        CHECK_FALSE(result.passed);
        CHECK(result.starved == (own != errc::connection_refused));
        CHECK(lab.dialer.peers.size() == (result.starved ? 1 : 2));
    }
}

TEST_CASE("a webhook that nobody ever hears is given up, until something else is wanted") {
    Lab lab;
    config::Webhook to;
    to.host = "192.0.2.9";
    Names names(lab.clock, [](const std::string&, const auto&) {});
    Webhook webhook(lab.loop, lab.dialer, "pool a", [&] { return webhook_plan(to, names); });
    lab.answers("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
    webhook.tell("{}");
    lab.settle();
    REQUIRE(lab.dialer.peers.size() == 1);
    const auto told = [&] {
        const std::string& text = lab.dialer.peers[0]->written();
        std::size_t count = 0;
        for (std::size_t at = 0; (at = text.find("POST", at)) != std::string::npos; ++at)
            ++count;
        return count;
    };
    for (unsigned i = 0; i < limits::webhook_tries_most + 50; ++i)
        lab.pass(10min);
    CHECK(told() == limits::webhook_tries_most);
    webhook.tell("{}");
    lab.settle();
    CHECK(told() == limits::webhook_tries_most + 1);
    for (int i = 0; i < 10; ++i)
        lab.pass(1s);
    CHECK(told() > limits::webhook_tries_most + 2);  // with short pauses again
    webhook.stop();
    lab.settle();
    CHECK_FALSE(webhook.running());
}

TEST_CASE("a webhook is told the newest until it has heard, ever more rarely") {
    Lab lab;
    config::Webhook to;
    to.host = "192.0.2.9";
    to.path = "/scale";
    Names names(lab.clock, [](const std::string&, const auto&) {});
    Webhook webhook(lab.loop, lab.dialer, "pool a", [&] { return webhook_plan(to, names); });
    lab.answers("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
    webhook.tell(webhook_content("a", {4, 3, 1, "scaled \"up\""}));
    lab.settle();
    REQUIRE(lab.dialer.peers.size() == 1);
    ScriptedPeer& peer = *lab.dialer.peers[0];
    const std::string content =
        R"({"pool": "a", "wanted": 4, "in_service": 3, "pending": 1, "why": "scaled \"up\""})";
    CHECK(peer.written().starts_with("POST /scale HTTP/1.1\r\nHost: 192.0.2.9\r\n"));
    CHECK(peer.written().ends_with("\r\n\r\n" + content));
    const auto told = [&] {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = peer.written().find("POST", at)) != std::string::npos; ++at)
            ++count;
        return count;
    };
    for (int i = 0; i < 28; ++i)
        lab.pass(1s);
    CHECK(told() == limits::webhook_tries);
    for (int i = 0; i < 20 * 60; ++i)
        lab.pass(1s);
    const std::size_t tries = told();
    CHECK(tries > limits::webhook_tries);
    lab.pass(599s);
    CHECK(told() <= tries + 1);
    for (int i = 0; i < 60; ++i)
        lab.pass(10min);
    CHECK(told() > tries + 50);
    const std::size_t before = told();
    lab.answers("HTTP/1.1 200 Heard\r\nContent-Length: 0\r\n\r\n");
    lab.script(peer);
    for (int i = 0; i < 60; ++i)
        lab.pass(10min);
    CHECK(told() == before + 1);
    lab.answers("");
    lab.script(peer);
    webhook.tell("{}");
    lab.settle();
    CHECK(told() == before + 2);
    webhook.stop();
    lab.settle();
    CHECK_FALSE(webhook.running());
}

TEST_CASE("names are asked beside, once at a time, and an answer that fails keeps the old one") {
    ManualClock clock;
    int asked = 0;
    std::function<void(Names::Addresses)> answer;
    Names names(clock, [&](const std::string& host, std::function<void(Names::Addresses)> done) {
        CHECK(host == "db.test");
        ++asked;
        answer = std::move(done);
    });
    CHECK(names.find("db.test", 5432).pending);
    CHECK(names.find("db.test", 5432).pending);
    CHECK(asked == 1);
    answer({*SocketAddress::from_ip("192.0.2.5", 0)});
    CHECK(names.find("db.test", 5432).addresses ==
          Names::Addresses{*SocketAddress::from_ip("192.0.2.5", 5432)});
    CHECK(asked == 1);
    clock.advance(limits::dependency_names);
    CHECK(names.find("db.test", 5432).addresses.size() == 1);
    CHECK(asked == 2);
    answer({});
    CHECK(names.find("db.test", 5432).addresses.size() == 1);
    CHECK(names.find("127.0.0.1", 1).addresses.size() == 1);
}

TEST_CASE("a check goes to its own port and by the pool's Host") {
    config::Pool pool;
    config::HealthCheck check;
    check.path = "/up";
    Endpoint endpoint;
    endpoint.name = "app.test";
    endpoint.port = 8080;
    endpoint.address = *SocketAddress::from_ip("192.0.2.1", 8080);
    CHECK(check_plan(pool, check, endpoint).host == "app.test:8080");
    CHECK(check_plan(pool, check, endpoint).addresses[0].text() == "192.0.2.1:8080");
    pool.host_mode = config::Pool::HostMode::literal;
    pool.host_literal = "shop.example";
    check.port = 9000;
    CHECK(check_plan(pool, check, endpoint).host == "shop.example");
    CHECK(check_plan(pool, check, endpoint).addresses[0].text() == "192.0.2.1:9000");
    check.tcp = true;
    CHECK(check_plan(pool, check, endpoint).kind == ProbePlan::Kind::tcp);
}
