// Names and reloads against the watch, with resolver, clock and alarm in the test's hand.
#include "proxy/server/endpoint_watch.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

/// Answers when the test says so.
class ScriptedResolver final : public Resolver {
  public:
    void resolve(const std::string& host, std::uint16_t port, Callback done) override {
        CHECK(port == 0);
        asked.push_back(host);
        if (at_once) {
            done(*at_once);
        } else {
            waiting.emplace_back(host, std::move(done));
        }
    }
    /// Answers the oldest question for `host`.
    void answer(const std::string& host, const std::vector<const char*>& ips,
                std::optional<std::chrono::seconds> ttl = 30s, int unknown = AF_UNSPEC) {
        const bool whole = !ips.empty() && unknown == AF_UNSPEC;
        Answer made{{}, ttl, whole ? "" : "scripted failure", unknown};
        for (const char* ip : ips)
            made.addresses.push_back(*SocketAddress::from_ip(ip, 0));
        const auto found = std::find_if(waiting.begin(), waiting.end(), [&](const auto& question) {
            return question.first == host;
        });
        REQUIRE(found != waiting.end());
        const Callback done = std::move(found->second);
        waiting.erase(found);
        done(made);
    }

    std::vector<std::string> asked;
    std::deque<std::pair<std::string, Callback>> waiting;
    std::optional<Answer> at_once;
};

class ManualAlarm final : public Alarm {
  public:
    void set(Duration in, std::function<void()> call) override { due = in, ring = std::move(call); }
    void cancel() noexcept override { due.reset(); }
    std::optional<Duration> due;
    std::function<void()> ring;
};

config::Endpoint at(const std::string& host, std::uint16_t port = 80, std::uint32_t weight = 1) {
    config::Endpoint endpoint;
    endpoint.host = host;
    endpoint.port = port;
    endpoint.weight = weight;
    return endpoint;
}

config::Config with(std::vector<std::pair<std::string, std::vector<config::Endpoint>>> pools) {
    config::Config config;
    for (auto& [name, endpoints] : pools) {
        config::Pool pool;
        pool.name = name;
        pool.endpoints = std::move(endpoints);
        config.pools.push_back(std::move(pool));
    }
    return config;
}

using Texts = std::vector<std::string>;

struct Bench {
    ScriptedResolver resolver;
    EndpointRegistry registry;
    ManualClock clock;
    ManualAlarm alarm;
    Texts changes;
    std::optional<EndpointWatch> watch;

    Bench() {
        watch.emplace(resolver, registry, clock, alarm,
                      [this](const std::string& pool, std::shared_ptr<const EndpointSet> set) {
                          CHECK(set == watch->sets().at(pool));
                          changes.push_back(pool);
                      });
    }
    [[nodiscard]] Texts texts(const std::string& pool) const {
        Texts result;
        for (const auto& endpoint : *watch->sets().at(pool))
            result.push_back(endpoint->text);
        return result;
    }
    /// Lets the time pass until the alarm rings, and rings it.
    void ring() {
        REQUIRE(alarm.due);
        clock.advance(*std::exchange(alarm.due, std::nullopt));
        std::exchange(alarm.ring, nullptr)();
    }
};

}  // namespace

TEST_CASE("literals are there at once, without a question, an alarm or a change") {
    Bench bench;
    config::Config config = with({{"a", {at("10.0.0.1", 81, 3), at("2001:db8::1")}}, {"b", {}}});
    config.pools[0].provider = "aws";
    config.pools[0].region = "us-east-1";
    config.pools[0].endpoints[0].zone = "us-east-1a";
    config.pools[0].limits.in_flight = 7;
    bench.watch->update(config);
    CHECK(bench.texts("a") == Texts{"10.0.0.1:81", "[2001:db8::1]:80"});
    CHECK(bench.texts("b").empty());
    const Endpoint& endpoint = *bench.watch->sets().at("a")->front();
    CHECK(endpoint.pool == "a");
    CHECK(endpoint.provider == "aws");
    CHECK(endpoint.region == "us-east-1");
    CHECK(endpoint.zone == "us-east-1a");
    CHECK(endpoint.name == "10.0.0.1");
    CHECK(endpoint.port == 81);
    CHECK(endpoint.weight == 3);
    CHECK(endpoint.limits.in_flight == 7);
    CHECK(endpoint.state == bench.registry.state_of("a", endpoint.address));
    CHECK(endpoint.pool_state == bench.registry.state_of("a"));
    CHECK(bench.resolver.asked.empty());
    CHECK_FALSE(bench.alarm.due);
    CHECK(bench.changes.empty());
}

TEST_CASE("a name is asked once for all pools and gives all of its addresses") {
    Bench bench;
    bench.watch->update(with({{"a", {at("app.example", 8080, 2), at("10.0.0.1")}},
                              {"b", {at("App.Example", 9090)}},
                              {"c", {at("10.0.0.9")}}}));
    CHECK(bench.resolver.asked == Texts{"app.example"});
    CHECK_FALSE(bench.alarm.due);  // the answer will set it
    CHECK(bench.texts("a") == Texts{"10.0.0.1:80"});
    bench.resolver.answer("app.example", {"10.1.1.2", "10.1.1.1"});
    CHECK(bench.changes == Texts{"a", "b"});
    CHECK(bench.texts("a") == Texts{"10.1.1.1:8080", "10.1.1.2:8080", "10.0.0.1:80"});
    CHECK(bench.texts("b") == Texts{"10.1.1.1:9090", "10.1.1.2:9090"});
    CHECK(bench.watch->sets().at("a")->front()->weight == 2);
    CHECK(bench.watch->sets().at("b")->front()->name == "App.Example");
    CHECK(bench.alarm.due == Duration(30s));
}

TEST_CASE("a name is asked again by its TTL, within 5 seconds and 5 minutes") {
    using Case = std::pair<std::optional<std::chrono::seconds>, Duration>;
    for (const auto& [ttl, wait] :
         {Case{0s, 5s}, Case{4s, 5s}, Case{77s, 77s}, Case{1h, 5min}, Case{std::nullopt, 5min}}) {
        Bench bench;
        bench.watch->update(with({{"a", {at("app.example")}}}));
        bench.resolver.answer("app.example", {"10.1.1.1"}, ttl);
        CHECK(bench.alarm.due == wait);
        bench.ring();
        CHECK(bench.resolver.asked.size() == 2);
        bench.resolver.answer("app.example", {"10.1.1.2"}, ttl);
        CHECK(bench.texts("a") == Texts{"10.1.1.2:80"});
        CHECK(bench.changes == Texts{"a", "a"});
    }
}

TEST_CASE("the configuration bounds the TTL and the pauses after failures") {
    Bench bench;
    config::Config config = with({{"a", {at("app.example")}}});
    config.dns.min_ttl = 1s;
    config.dns.max_ttl = 6s;
    bench.watch->update(config);
    for (const auto& [ttl, wait] :
         {std::pair<std::chrono::seconds, Duration>{0s, 1s}, {4s, 4s}, {1h, 6s}}) {
        bench.resolver.answer("app.example", {"10.1.1.1"}, ttl);
        CHECK(bench.alarm.due == wait);
        bench.ring();
    }
    for (const Duration wait : {1s, 2s, 4s, 6s, 6s}) {
        bench.resolver.answer("app.example", {});
        CHECK(bench.alarm.due == wait);
        bench.ring();
    }
    bench.resolver.answer("app.example", {"10.1.1.1"}, 1h);
    config.dns.max_ttl = 2s;
    bench.watch->update(config);
    CHECK(bench.alarm.due == Duration(2s));  // what was promised longer is asked sooner now
}

TEST_CASE("a reload to other name servers asks all names at once") {
    Bench bench;
    config::Config config = with({{"a", {at("app.example")}}});
    bench.watch->update(config);
    bench.resolver.answer("app.example", {"10.1.1.1"}, 1h);
    bench.watch->update(config);
    CHECK(bench.resolver.asked.size() == 1);
    config.dns.servers = {*SocketAddress::from_ip("10.0.0.2", 53)};
    bench.watch->update(config);
    CHECK(bench.resolver.asked.size() == 2);
    CHECK(bench.texts("a") == Texts{"10.1.1.1:80"});
}

TEST_CASE("standbys are in the set, behind the others and out of service at first") {
    Bench bench;
    config::Config config = with({{"a", {at("10.0.0.1"), at("app.example")}}});
    config.pools[0].standby = {at("Spare.example", 80, 2), at("10.0.0.1"), at("app.example", 81)};
    bench.watch->update(config);
    CHECK(bench.resolver.asked == Texts{"app.example", "spare.example"});
    bench.resolver.answer("spare.example", {"10.2.0.1", "10.1.1.1"});
    bench.resolver.answer("app.example", {"10.1.1.1"});
    CHECK(bench.texts("a") == Texts{"10.0.0.1:80", "10.1.1.1:80", "10.2.0.1:80", "10.1.1.1:81"});
    const EndpointSet set = *bench.watch->sets().at("a");
    CHECK_FALSE(set[1]->standby);
    CHECK(set[2]->standby);
    CHECK(set[2]->weight == 2);
    CHECK(set[2]->state->standing.load() == Standing::standby);
    CHECK(set[0]->state->standing.load() == Standing::in);
    std::swap(config.pools[0].endpoints, config.pools[0].standby);
    bench.watch->update(config);
    CHECK_FALSE(bench.watch->sets().at("a")->at(1)->standby);
    CHECK(bench.watch->sets().at("a")->at(1)->state == set[2]->state);
}

namespace {

/// Four addresses of one name in pool "a", of which DNS then shows less.
struct Shrinking : Bench {
    Shrinking() {
        watch->update(with({{"a", {at("App.example")}}}));
        resolver.answer("app.example", {"10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.4"}, 5min);
        ring();
        changes.clear();
    }
    void answer(const std::vector<const char*>& ips) { resolver.answer("app.example", ips, 5min); }
    void judge(const std::string& text, Standing standing) {
        for (const auto& endpoint : *watch->sets().at("a"))
            if (endpoint->text == text) endpoint->state->standing = standing;
    }
};
const Texts all_four{"10.1.1.1:80", "10.1.1.2:80", "10.1.1.3:80", "10.1.1.4:80"};

}  // namespace

TEST_CASE("half of a set may leave at once, and all of it if others come") {
    Shrinking bench;
    bench.answer({"10.1.1.1", "10.1.1.2"});
    CHECK(bench.texts("a") == Texts{"10.1.1.1:80", "10.1.1.2:80"});
    bench.ring();
    bench.answer({"10.9.9.1", "10.9.9.2"});
    CHECK(bench.texts("a") == Texts{"10.9.9.1:80", "10.9.9.2:80"});
    CHECK(bench.alarm.due == Duration(5min));
}

TEST_CASE("more than half is held for a minute; what is new joins meanwhile") {
    Shrinking bench;
    bench.answer({"10.9.9.1"});
    CHECK(bench.texts("a") ==
          Texts{"10.9.9.1:80", "10.1.1.1:80", "10.1.1.2:80", "10.1.1.3:80", "10.1.1.4:80"});
    CHECK(bench.changes == Texts{"a"});
    for (int second = 0; second < 59; ++second)
        bench.ring();
    CHECK(bench.changes == Texts{"a"});
    bench.ring();
    CHECK(bench.texts("a") == Texts{"10.9.9.1:80"});
    CHECK(bench.changes == Texts{"a", "a"});
    CHECK(bench.alarm.due == Duration(4min));  // back to the TTL alone
}

TEST_CASE("health ends a hold as soon as it has taken out all that would leave") {
    Shrinking bench;
    bench.answer({"10.1.1.1"});
    CHECK(bench.texts("a") == all_four);
    bench.judge("10.1.1.2:80", Standing::ejected);
    bench.judge("10.1.1.3:80", Standing::unhealthy);
    bench.judge("10.1.1.4:80", Standing::failed);  // a game day says nothing of what is there
    bench.ring();
    CHECK(bench.texts("a") == all_four);
    bench.judge("10.1.1.4:80", Standing::unhealthy);
    bench.ring();
    CHECK(bench.texts("a") == Texts{"10.1.1.1:80"});
    CHECK(bench.changes == Texts{"a"});
}

TEST_CASE("what health has taken out already is not held") {
    Shrinking bench;
    bench.judge("10.1.1.2:80", Standing::unhealthy);
    bench.judge("10.1.1.3:80", Standing::drained);  // nobody misses what is out by will
    bench.judge("10.1.1.4:80", Standing::standby);
    bench.answer({"10.1.1.1"});
    CHECK(bench.texts("a") == Texts{"10.1.1.1:80"});
}

TEST_CASE("answers go on during a hold, measured by the set of before") {
    Shrinking bench;
    bench.answer({"10.1.1.1"});
    for (int second = 0; second < 30; ++second)
        bench.ring();
    bench.watch->update([] {  // a reload keeps the hold, and asks at once for this test
        auto config = with({{"a", {at("app.example", 80, 7)}}});
        config.dns.servers = {*SocketAddress::from_ip("10.0.0.2", 53)};
        return config;
    }());
    CHECK(bench.texts("a") == all_four);
    CHECK(bench.watch->sets().at("a")->at(3)->weight == 7);
    bench.answer({"10.1.1.1", "10.1.1.2"});  // two of the four is not less than half
    CHECK(bench.texts("a") == Texts{"10.1.1.1:80", "10.1.1.2:80"});
    CHECK(bench.alarm.due == Duration(5min));
}

TEST_CASE("a reload takes away as much as it wants, held or not") {
    Shrinking bench;
    bench.answer({"10.1.1.1"});
    bench.watch->update(with({{"a", {at("10.0.0.9")}}}));
    CHECK(bench.texts("a") == Texts{"10.0.0.9:80"});
    Bench other;
    other.watch->update(with({{"a", {at("10.0.0.1"), at("10.0.0.2"), at("10.0.0.3")}}}));
    other.watch->update(with({{"a", {at("10.0.0.3")}}}));
    CHECK(other.texts("a") == Texts{"10.0.0.3:80"});
    CHECK_FALSE(other.alarm.due);
}

TEST_CASE("the same addresses in another order are no change") {
    Bench bench;
    bench.watch->update(with({{"a", {at("app.example")}}}));
    bench.resolver.answer("app.example", {"10.1.1.1", "10.1.1.2"});
    const auto set = bench.watch->sets().at("a");
    bench.ring();
    bench.resolver.answer("app.example", {"10.1.1.2", "10.1.1.1"});
    CHECK(bench.changes == Texts{"a"});
    CHECK(bench.watch->sets().at("a") == set);
}

TEST_CASE("an address that stays keeps its Endpoint, one that goes and stays held its state") {
    Bench bench;
    bench.watch->update(with({{"a", {at("app.example")}}}));
    bench.resolver.answer("app.example", {"10.1.1.1", "10.1.1.2"});
    const auto before = bench.watch->sets().at("a");
    bench.ring();
    bench.resolver.answer("app.example", {"10.1.1.2", "10.1.1.3"});
    const auto after = bench.watch->sets().at("a");
    CHECK(after->at(0) == before->at(1));
    bench.ring();
    bench.resolver.answer("app.example", {"10.1.1.1"});
    CHECK(bench.watch->sets().at("a")->at(0)->state == before->at(0)->state);
}

TEST_CASE("failures keep the last known good and are tried again more and more rarely") {
    Bench bench;
    bench.watch->update(with({{"a", {at("app.example")}}}));
    bench.resolver.answer("app.example", {"10.1.1.1"});
    bench.ring();
    for (const Duration wait : {5s, 10s, 20s, 40s, 60s, 60s}) {
        bench.resolver.answer("app.example", {});
        CHECK(bench.texts("a") == Texts{"10.1.1.1:80"});
        CHECK(bench.alarm.due == wait);
        bench.ring();
    }
    bench.resolver.answer("app.example", {"10.1.1.1"});
    CHECK(bench.alarm.due == Duration(30s));
    bench.ring();
    bench.resolver.answer("app.example", {});
    CHECK(bench.alarm.due == Duration(5s));  // a success has ended the row of failures
    CHECK(bench.changes == Texts{"a"});
}

TEST_CASE("the family whose question failed keeps its addresses, and is asked for again soon") {
    Bench bench;
    bench.watch->update(with({{"a", {at("x")}}}));
    bench.resolver.answer("x", {"10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"}, 300s);
    bench.ring();
    const Texts two_left{"10.0.0.2:80", "[2001:db8::1]:80", "[2001:db8::2]:80"};
    bench.resolver.answer("x", {"10.0.0.2"}, 300s, AF_INET6);
    CHECK(bench.texts("a") == two_left);
    CHECK(bench.alarm.due == Duration(5s));
    bench.ring();
    bench.resolver.answer("x", {"10.0.0.2"}, 300s, AF_INET6);
    CHECK(bench.texts("a") == two_left);
    CHECK(bench.alarm.due == Duration(10s));
    bench.ring();
    bench.resolver.answer("x", {"2001:db8::1"}, 7s, AF_INET);
    CHECK(bench.texts("a") == Texts{"10.0.0.2:80", "[2001:db8::1]:80"});
    CHECK(bench.alarm.due == Duration(7s));  // what was told holds no longer than it says
    bench.ring();
    bench.resolver.answer("x", {"2001:db8::1"}, 300s);
    CHECK(bench.texts("a") == Texts{"[2001:db8::1]:80"});
    CHECK(bench.alarm.due == Duration(300s));
}

TEST_CASE("each name has its own turn") {
    Bench bench;
    bench.watch->update(with({{"a", {at("one.example"), at("two.example")}}}));
    bench.resolver.answer("one.example", {"10.1.1.1"}, 60s);
    bench.resolver.answer("two.example", {"10.1.1.2"}, 20s);
    CHECK(bench.alarm.due == Duration(20s));
    bench.ring();
    CHECK(bench.resolver.asked.back() == "two.example");
    CHECK(bench.alarm.due == Duration(40s));
    bench.ring();
    CHECK(bench.resolver.asked.back() == "one.example");
    CHECK(bench.resolver.asked.size() == 4);
    CHECK_FALSE(bench.alarm.due);
}

TEST_CASE("a reload keeps what is unchanged and asks only for what is new") {
    Bench bench;
    bench.watch->update(with({{"a", {at("app.example")}}, {"b", {at("10.0.0.1")}}}));
    bench.resolver.answer("app.example", {"10.1.1.1"});
    bench.clock.advance(10s);
    const auto a = bench.watch->sets().at("a");
    const auto b = bench.watch->sets().at("b");

    bench.watch->update(with({{"a", {at("app.example")}},
                              {"b", {at("10.0.0.1", 80, 5)}},
                              {"c", {at("new.example"), at("app.example", 81)}}}));
    CHECK(bench.watch->sets().at("a") == a);
    CHECK(bench.watch->sets().at("b") != b);
    CHECK(bench.watch->sets().at("b")->at(0)->weight == 5);
    CHECK(bench.watch->sets().at("b")->at(0)->state == b->at(0)->state);
    CHECK(bench.texts("c") == Texts{"10.1.1.1:81"});
    CHECK(bench.resolver.asked == Texts{"app.example", "new.example"});
    CHECK(bench.alarm.due == Duration(20s));
    CHECK(bench.changes == Texts{"a"});

    bench.watch->update(with({{"b", {at("10.0.0.1")}}}));
    CHECK(bench.watch->sets().size() == 1);
    CHECK_FALSE(bench.alarm.due);
    bench.resolver.answer("new.example", {"10.1.1.9"});  // too late: nobody wants it any more
    CHECK(bench.changes == Texts{"a"});
}

TEST_CASE("an answer that comes at once is in the first sets") {
    Bench bench;
    bench.resolver.at_once = Resolver::Answer{{*SocketAddress::from_ip("127.0.0.1", 0)}, {}, ""};
    bench.watch->update(with({{"a", {at("localhost", 3000)}}}));
    CHECK(bench.texts("a") == Texts{"127.0.0.1:3000"});
    CHECK(bench.changes.empty());
    CHECK(bench.alarm.due == Duration(5min));
    bench.resolver.at_once->addresses = {*SocketAddress::from_ip("127.0.0.2", 0)};
    bench.ring();
    CHECK(bench.texts("a") == Texts{"127.0.0.2:3000"});
    CHECK(bench.changes == Texts{"a"});
}

TEST_CASE("an address that several entries lead to is one endpoint, the first entry's") {
    Bench bench;
    bench.watch->update(with({{"a", {at("app.example", 80, 4), at("10.1.1.1", 80, 9)}}}));
    bench.resolver.answer("app.example", {"10.1.1.1"});
    REQUIRE(bench.texts("a") == Texts{"10.1.1.1:80"});
    CHECK(bench.watch->sets().at("a")->at(0)->weight == 4);
}

TEST_CASE("an answer after the watch has ended is ignored") {
    Bench bench;
    bench.watch->update(with({{"a", {at("app.example")}}}));
    bench.watch.reset();
    bench.resolver.answer("app.example", {"10.1.1.1"});
    CHECK(bench.changes.empty());
}
