// adaptive: its pairs, what it prefers, and a queueing simulation beside the other policies.
#include <cmath>
#include <map>
#include <numeric>
#include <queue>

#include <doctest/doctest.h>

#include "balancer/levels.hpp"
#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint start{std::chrono::hours(1)};

void set_latency(const Row& row, std::size_t i, Duration took) {
    row.endpoints[i]->state->latency.observe(took, start);
}

/// Poisson arrivals; each endpoint serves `slots` requests at a time, first come first served, in
/// exponential times around its mean. One pool per latency, two endpoints each.
class Simulation {
  public:
    /// `nodes`: proxies that know nothing of each other and share the endpoints.
    Simulation(Balance balance, double per_second, std::size_t slots, std::uint64_t seed,
               std::size_t nodes, std::uint32_t per_pool)
        : rng_(seed), rate_(per_second), slots_(slots) {
        config::Route route;
        route.balance = balance;
        for (const auto& [pool, mean] : means_)
            route.pools.push_back({pool, 1, 0, {}});
        for (std::size_t node = 0; node < nodes; ++node) {
            PoolSets sets;
            for (const auto& [pool, mean] : means_)
                sets[pool] = set_of(pool, std::vector<std::uint32_t>(per_pool, 1));
            nodes_.emplace_back(route).update(sets);
        }
    }

    /// The mean time from arrival to answer of `requests`, in milliseconds.
    double run(int requests) {
        TimePoint next = start;
        double sum = 0;
        int left = requests;
        int answered = 0;
        while (left > 0 || !ends_.empty()) {
            if (left > 0 && (ends_.empty() || next < ends_.top().at)) {
                arrive(next);
                next += exponential(1e3 / rate_);
                --left;
                continue;
            }
            const End end = ends_.top();
            ends_.pop();
            sum += seconds_of(end.at - end.since) * 1e3;
            ++answered;
            finish(end);
        }
        CHECK(answered == requests);
        return sum / requests;
    }

  private:
    struct End {
        TimePoint at, since;
        const Endpoint* of;
        bool operator<(const End& other) const { return at > other.at; }
    };
    struct Server {
        std::size_t busy = 0;
        std::queue<std::pair<const Endpoint*, TimePoint>> waiting;
    };

    Duration exponential(double mean_ms) {
        const double ms = -std::log(1 - unit_interval(rng_)) * mean_ms;
        return Duration(std::llround(ms * 1e6));
    }
    void serve(const Endpoint* of, TimePoint now, TimePoint since) {
        ends_.push({now + exponential(means_.at(of->pool)), since, of});
    }
    void arrive(TimePoint now) {
        RouteBalancer& node = nodes_[rng_.below(nodes_.size())];
        const Endpoint* to = node.pick({.now = now}, rng_);
        ++to->state->in_flight;
        Server& server = servers_[{to->pool, to->port}];
        if (server.busy == slots_) {
            server.waiting.emplace(to, now);
            return;
        }
        ++server.busy;
        serve(to, now, now);
    }
    void finish(const End& end) {
        --end.of->state->in_flight;
        end.of->state->latency.observe(end.at - end.since, end.at);
        Server& server = servers_[{end.of->pool, end.of->port}];
        if (server.waiting.empty()) {
            --server.busy;
            return;
        }
        const auto [of, since] = server.waiting.front();
        server.waiting.pop();
        serve(of, end.at, since);
    }

    const std::map<std::string, double> means_{{"a", 2}, {"b", 8}, {"c", 15}};
    FastRng rng_;
    double rate_;
    std::size_t slots_;
    std::vector<RouteBalancer> nodes_;
    std::priority_queue<End> ends_;
    std::map<std::pair<std::string, std::uint16_t>, Server> servers_;
};

}  // namespace

TEST_CASE("adaptive prefers the lower product of latency and requests in flight") {
    FastRng rng(1);
    const auto policy = make_policy(Balance::adaptive);
    const Row row{1, 1};
    policy->changed(row.targets);
    set_latency(row, 0, 10ms);
    set_latency(row, 1, 4ms);
    for (int i = 0; i < 100; ++i)
        CHECK(row.pick(*policy, rng, {.now = start}) == 1);
    row.endpoints[1]->state->in_flight = 2;  // 12 ms against 10 ms
    for (int i = 0; i < 100; ++i)
        CHECK(row.pick(*policy, rng, {.now = start}) == 0);
}

TEST_CASE("a target's weight bounds its share, however fast it is") {
    constexpr int picks = 100'000;
    for (const std::size_t others : {1, 5, 99}) {
        FastRng rng(2);
        std::vector<double> weights(others, 2.0);
        weights.push_back(0.2);
        const auto policy = make_policy(Balance::adaptive);
        const Row row(weights);
        policy->changed(row.targets);
        for (std::size_t i = 0; i <= others; ++i)
            set_latency(row, i, i == others ? 1ms : 5ms);
        const auto counts = row.counts(*policy, rng, picks);
        // Of few in a tenth of the picks a candidate, of many in four draws.
        const double drawn = 1 - std::pow(1 - 0.2 / (2 * 99 + 0.2), 4);
        CHECK(fair(counts[others], picks, others < 99 ? 0.1 : drawn));
    }
}

TEST_CASE("a target without an answer yet is neither shunned nor flooded") {
    FastRng rng(4);
    const auto policy = make_policy(Balance::adaptive);
    const Row row(std::vector<double>(10, 1.0));
    policy->changed(row.targets);
    for (std::size_t i = 1; i < 10; ++i)
        set_latency(row, i, 5ms);
    for (int i = 0; i < 200; ++i)
        ++row.endpoints[*row.pick(*policy, rng, {.now = start})]->state->in_flight;
    CHECK(row.endpoints[0]->state->in_flight >= 15);
    CHECK(row.endpoints[0]->state->in_flight <= 25);
}

namespace {

/// Two targets under adaptive, the first one farther away or not.
struct Two {
    explicit Two(std::uint64_t seed, std::uint8_t distance = 0) : rng(seed) {
        row.targets[0].distance = distance;
        policy->changed(row.targets);
    }
    std::size_t pick(TimePoint now = start) { return *row.pick(*policy, rng, {.now = now}); }

    FastRng rng;
    std::unique_ptr<Policy> policy = make_policy(Balance::adaptive);
    Row row{1, 1};
};

}  // namespace

TEST_CASE("nearness decides between about equal ones, and no more") {
    Two two(5, 3);
    set_latency(two.row, 0, 100ms);
    set_latency(two.row, 1, 109ms);
    for (int i = 0; i < 100; ++i)
        CHECK(two.pick() == 1);
    set_latency(two.row, 1, 120ms);
    for (int i = 0; i < 100; ++i)
        CHECK(two.pick() == 0);
}

TEST_CASE("a farther endpoint is tried, too, when requests come one at a time") {
    Two two(6, 3);
    set_latency(two.row, 1, 40ms);
    CHECK(two.pick() == 0);
    two.row.endpoints[0]->state->in_flight = 1;  // and no more than once, until it has answered
    for (int i = 0; i < 100; ++i)
        CHECK(two.pick() == 1);
}

TEST_CASE("one that is far and was left alone shows with one request how far it is") {
    Two two(7);
    set_latency(two.row, 0, 80ms);
    TimePoint now = start;
    const auto pick = [&] {
        two.row.endpoints[1]->state->latency.observe(2ms, now);
        return two.pick(now);
    };
    while (pick() == 1 && now - start < 10min)
        now += 100ms;
    REQUIRE(now - start < 10min);  // by now it looks as near as the other
    two.row.endpoints[0]->state->in_flight = 1;
    now += 1s;
    CHECK(pick() == 1);
}

TEST_CASE("among 2, 8 and 15 ms adaptive answers soonest") {
    constexpr int requests = 60'000;
    for (const std::uint64_t seed : {1, 2, 3}) {
        CAPTURE(seed);
        const auto mean = [&](Balance balance, double rate, std::size_t slots,
                              std::size_t nodes = 1, std::uint32_t per_pool = 2) {
            return Simulation(balance, rate, slots, seed, nodes, per_pool).run(requests);
        };
        // Room for all: 1,500 requests/s, 64 at a time.
        const double adaptive = mean(Balance::adaptive, 1500, 64);
        const double least = mean(Balance::least_requests, 1500, 64);
        const double round_robin = mean(Balance::round_robin, 1500, 64);
        CHECK(adaptive < least);
        CHECK(least < round_robin);
        // At 70 % of capacity round robin would drown the slow ones. Also with four proxies that
        // know nothing of each other, and with more endpoints than are all looked at.
        for (const std::size_t slots : {1, 8}) {
            const double capacity = 2 * static_cast<double>(slots) * (500 + 125 + 1000.0 / 15);
            for (const std::size_t nodes : {1, 4}) {
                CHECK(mean(Balance::adaptive, 0.7 * capacity, slots, nodes) <
                      mean(Balance::least_requests, 0.7 * capacity, slots, nodes));
            }
            const double large = 0.7 * capacity * 20;
            CHECK(mean(Balance::adaptive, large, slots, 1, 40) <
                  mean(Balance::least_requests, large, slots, 1, 40));
        }
    }
}
