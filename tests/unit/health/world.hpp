// Pools, endpoints, what workers would report about them, and Verdicts, on a clock of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "balancer/report.hpp"
#include "health/verdicts.hpp"

namespace scrollgate::test {

using namespace std::chrono_literals;

class World {
  public:
    /// One route over `pools` pools "p0", "p1", … of `active` endpoints and `standbys`.
    explicit World(int pools, int active, int standbys = 0) {
        config::Config made;
        config::Route route;
        for (int p = 0; p < pools; ++p) {
            config::Pool pool;
            pool.name = "p" + std::to_string(p);
            route.pools.push_back({pool.name, 1, 0, {}});
            grow(p, active, false);
            grow(p, standbys, true);
            made.pools.push_back(std::move(pool));
        }
        made.routes.push_back(std::move(route));
        config = std::move(made);
        update();
    }

    /// Tells Verdicts of `config` and the endpoints.
    void update() {
        PoolSets sets;
        for (const config::Pool& pool : config.pools)
            sets[pool.name] = std::make_shared<const EndpointSet>(endpoints[index(pool.name)]);
        verdicts.update(std::make_shared<const config::Config>(config), sets, now);
    }
    void grow(int p, int count, bool standby) {
        const std::string pool = "p" + std::to_string(p);
        endpoints.resize(std::max<std::size_t>(endpoints.size(), static_cast<std::size_t>(p) + 1));
        EndpointSet& set = endpoints[static_cast<std::size_t>(p)];
        for (int i = 0; i < count; ++i) {
            const auto n = set.size();
            const SocketAddress address =
                *SocketAddress::from_ip("10." + std::to_string(p) + "." + std::to_string(n / 250) +
                                            "." + std::to_string(n % 250 + 1),
                                        80);
            set.push_back(
                std::make_shared<const Endpoint>(Endpoint{pool,
                                                          "other",
                                                          "",
                                                          "",
                                                          address.ip(),
                                                          80,
                                                          address,
                                                          address.text(),
                                                          1,
                                                          standby,
                                                          {},
                                                          registry.state_of(pool, address, standby),
                                                          registry.state_of(pool)}));
        }
    }

    EndpointState& state(int p, int e) {
        return *endpoints[static_cast<std::size_t>(p)][static_cast<std::size_t>(e)]->state;
    }
    const std::string& text(int p, int e) {
        return endpoints[static_cast<std::size_t>(p)][static_cast<std::size_t>(e)]->text;
    }
    Standing standing(int p, int e) { return state(p, e).standing; }
    float score(int p, int e) { return state(p, e).score; }

    /// Attempts on one endpoint now. True if one of them rings the bell.
    bool attempts(int p, int e, int count, AttemptEnd end, Duration took = 5ms) {
        bool bell = false;
        for (int i = 0; i < count; ++i) {
            state(p, e).requests.fetch_add(1);
            bell |= report(state(p, e), end, took, now);
        }
        return bell;
    }
    /// Every endpoint that is in answers `count` times, each pool in its own time.
    void all_answer(int count = 25) {
        for (int p = 0; p < static_cast<int>(endpoints.size()); ++p) {
            for (int e = 0; e < size(p); ++e) {
                if (standing(p, e) == Standing::in) {
                    attempts(p, e, count, AttemptEnd::answered, (1 + 4 * p) * 2ms);
                }
            }
        }
    }
    TimePoint look(Duration after = 100ms) {
        now += after;
        return verdicts.look(now);
    }
    void calm(Duration span) {
        for (Duration t{}; t < span; t += 100ms) {
            all_answer();
            look();
        }
    }
    int size(int p) { return static_cast<int>(endpoints[static_cast<std::size_t>(p)].size()); }
    std::uint64_t epoch(int p) {
        return endpoints[static_cast<std::size_t>(p)].front()->pool_state->epoch;
    }
    /// Share of its level that weights times scores give to one pool.
    double share(int pool) {
        double own = 0, all = 0;
        for (int p = 0; p < static_cast<int>(endpoints.size()); ++p) {
            for (int e = 0; e < size(p); ++e) {
                if (standing(p, e) != Standing::in) continue;
                const double part = double{score(p, e)} / size(p);
                all += part;
                if (p == pool) own += part;
            }
        }
        return own / all;
    }
    int lines_with(const std::string& text) const {
        int count = 0;
        for (const std::string& line : lines)
            count += line.find(text) != std::string::npos ? 1 : 0;
        return count;
    }
    HealthStatus::Pool status(int p) {
        return verdicts.status().pools[static_cast<std::size_t>(p)];
    }

    EndpointRegistry registry;
    std::vector<EndpointSet> endpoints;
    config::Config config;
    TimePoint now{1h};
    std::vector<std::string> lines;
    FastRng rng{7};
    Verdicts verdicts{rng, [this](const std::string& line) { lines.push_back(line); }};

  private:
    static std::size_t index(const std::string& pool) { return std::stoul(pool.substr(1)); }
};

/// A check of /healthz.
inline config::HealthCheck a_check() {
    config::HealthCheck check;
    check.path = "/healthz";
    return check;
}

/// One has ended, a second after the last.
inline void check(World& w, int p, int e, bool passed, const char* why = "status 500") {
    w.now += 1s;
    static_cast<void>(
        w.verdicts.checked("p" + std::to_string(p), w.text(p, e), passed, why, w.now, w.now));
}

}  // namespace scrollgate::test
