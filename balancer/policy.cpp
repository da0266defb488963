#include "balancer/policy.hpp"

namespace scrollgate {

std::unique_ptr<Policy> make_policy(config::Route::Balance balance) {
    switch (balance) {
        case config::Route::Balance::adaptive:
            return make_adaptive();
        case config::Route::Balance::round_robin:
            return make_round_robin();
        case config::Route::Balance::least_requests:
            return make_least_requests();
        case config::Route::Balance::random:
            return make_random();
        case config::Route::Balance::consistent_hash:
            return make_consistent_hash();
    }
    return make_adaptive();
}

std::optional<std::size_t> draw_untried(std::span<const Target> targets,
                                        std::span<const bool> tried, Rng& rng) {
    double total = 0;
    for (std::size_t i = 0; i < targets.size(); ++i)
        total += tried[i] ? 0 : targets[i].weight;
    double left = unit_interval(rng) * total;
    std::optional<std::size_t> chosen;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (tried[i] || targets[i].weight <= 0) continue;
        chosen = i;  // the last one also takes what rounding leaves over
        left -= targets[i].weight;
        if (left < 0) break;
    }
    return chosen;
}

}  // namespace scrollgate
