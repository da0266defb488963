#include "bench/drill/drill.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "bench/report/duration_text.hpp"

namespace scrollgate::bench {

Drill::Drill(std::unique_ptr<Breakage> breakage, Duration at, Duration length)
    : breakage_(std::move(breakage)), at_(at), length_(length) {}

Drill::~Drill() {
    finish();
}

void Drill::start() {
    start_ = system_clock().now();
    thread_ = std::thread([this] { work(); });
}

void Drill::finish() {
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool Drill::sleep_until(TimePoint when) {
    std::unique_lock lock(mutex_);
    if (when == never) {
        wake_.wait(lock, [this] { return finished_; });
        return false;
    }
    const auto at = std::chrono::time_point_cast<std::chrono::steady_clock::duration>(when);
    return !wake_.wait_until(lock, at, [this] { return finished_; });
}

void Drill::work() {
    if (!sleep_until(start_ + at_)) return;
    const TimePoint moment = system_clock().now();
    try {
        const std::uint64_t found = breakage_->strike();
        const std::lock_guard lock(mutex_);
        in_flight_ = found;
        struck_ = moment;
    } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        trouble_ = error.what();
        return;
    }
    const bool in_time = sleep_until(after(moment, length_));
    const bool mended = breakage_->mend();
    const std::lock_guard lock(mutex_);
    if (mended && in_time) mended_ = system_clock().now();
}

std::string Drill::note() {
    const TimePoint now = system_clock().now();
    const std::lock_guard lock(mutex_);
    if (!trouble_.empty()) return breakage_->what() + ": " + trouble_;
    if (mended_)
        return fmt::format("{}: mended {} ago", breakage_->what(), clock_text(now - *mended_));
    if (struck_)
        return fmt::format("{}: {} ago, {} requests on it", breakage_->what(),
                           clock_text(now - *struck_), in_flight_);
    return fmt::format("{} in {}", breakage_->what(),
                       clock_text(std::max<Duration>(start_ + at_ - now, {})));
}

std::optional<DrillResult> Drill::result(const Report& report) const {
    if (!struck_) return {};
    DrillResult result = judge_drill(report.timeline, *struck_ - start_);
    result.what = breakage_->what();
    result.in_flight = in_flight_;
    if (mended_) result.healed = *mended_ - start_;
    return result;
}

// The slice in which it happened counts as after it.
DrillResult judge_drill(const Timeline& timeline, Duration struck) {
    DrillResult result;
    result.at = struck;
    const auto& slices = timeline.slices();
    const auto first = std::min(static_cast<std::size_t>(struck / timeline.width()), slices.size());
    for (std::size_t i = 0; i < first; ++i)
        result.longest_before = std::max(result.longest_before, slices[i].latency.max());
    std::optional<std::size_t> last_unclean;
    for (std::size_t i = first; i < slices.size(); ++i) {
        const Slice& slice = slices[i];
        result.failed += slice.failed;
        result.longest_after = std::max(result.longest_after, slice.latency.max());
        if (slice.failed > 0 || slice.latency.max() > 2 * result.longest_before) last_unclean = i;
    }
    if (!last_unclean) {
        result.until_clean = Duration::zero();
    } else if (*last_unclean + 1 < slices.size()) {
        result.until_clean =
            timeline.width() * static_cast<Duration::rep>(*last_unclean + 1) - struck;
    }
    return result;
}

}  // namespace scrollgate::bench
