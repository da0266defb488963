#include "bench/report/report.hpp"

namespace scrollgate::bench {

double Report::achieved_rate() const noexcept {
    const double seconds = seconds_of(elapsed);
    return seconds > 0 ? static_cast<double>(total.completed()) / seconds : 0;
}

bool Report::behind() const noexcept {
    using namespace std::chrono_literals;
    if (!open_loop) return false;
    return total.unsent > 0 || total.lag.at(0.99) > 1ms;
}

}  // namespace scrollgate::bench
