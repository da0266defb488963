#include "proxy/pipeline/hedge_gate.hpp"

namespace scrollgate {

Duration HedgeGate::usual(TimePoint now) noexcept {
    if (now < look_at_) return usual_;
    look_at_ = now + limits::hedge_look;
    if (now >= rotate_at_) {
        rotate_at_ = now + limits::latency_window;
        // A quiet route would never have enough; what is old is forgotten for what is newer.
        if (heads_.fresh() >= limits::hedge_samples) heads_.rotate();
    }
    usual_ = heads_.count() < limits::hedge_samples ? no_limit : heads_.quantile(0.99);
    return usual_;
}

}  // namespace scrollgate
