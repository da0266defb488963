#include "balancer/policy.hpp"

namespace scrollgate {

std::unique_ptr<Policy> make_policy(config::Route::Balance balance) {
    switch (balance) {
        case config::Route::Balance::round_robin:
            return make_round_robin();
        case config::Route::Balance::least_requests:
            return make_least_requests();
        case config::Route::Balance::random:
            return make_random();
        case config::Route::Balance::adaptive:
        case config::Route::Balance::consistent_hash:
            break;
    }
    return make_round_robin();
}

}  // namespace scrollgate
