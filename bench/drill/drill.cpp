#include "bench/drill/drill.hpp"

#include <algorithm>
#include <exception>
#include <numeric>

#include <fmt/format.h>

#include "bench/report/duration_text.hpp"

namespace scrollgate::bench {
namespace {

/// When the last beat was over that was not clean, if a clean one came after it.
std::optional<Duration> clean_after(const Pulse& pulse, Duration longest_clean) {
    Duration clean = Duration::zero();
    bool proved = true;
    for (std::size_t i = 0; i < pulse.beats().size(); ++i) {
        const Pulse::Beat& beat = pulse.beats()[i];
        if (beat.requests == 0) continue;
        proved = beat.failed == 0 && beat.longest <= longest_clean;
        if (!proved) clean = pulse.width() * static_cast<Duration::rep>(i + 1);
    }
    return proved ? std::optional(clean) : std::nullopt;
}

/// `others`: latencies before, of all methods, for one that was not used before.
DrillMethod judge_method(const BeforeAfter::Method& counted, const Histogram& others) {
    using namespace std::chrono_literals;
    const Histogram& before = counted.before.latency;
    const Histogram& known = before.count() > 0 ? before : others;
    DrillMethod method;
    method.by_failure = counted.after.by_failure;
    method.failed =
        std::accumulate(method.by_failure.begin(), method.by_failure.end(), std::uint64_t{0});
    for (const Pulse::Beat& beat : counted.pulse.beats())
        method.requests += beat.requests;
    method.usual = known.at(0.99);
    method.longest_before = known.max();
    method.longest_after = counted.after.latency.max();
    const Duration margin = std::max<Duration>(method.longest_before, 10ms);
    method.until_clean = clean_after(counted.pulse, method.longest_before + margin);
    return method;
}

}  // namespace

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
        (void)breakage_->mend();  // it may have come half of the way
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
    const auto in_seconds = [](Duration span) {
        return duration_text(std::chrono::round<std::chrono::seconds>(span));
    };
    if (!trouble_.empty()) return breakage_->what() + ": " + trouble_;
    if (mended_)
        return fmt::format("{}: mended {} ago", breakage_->what(), in_seconds(now - *mended_));
    if (struck_)
        return fmt::format("{}: {} ago, {} requests on it", breakage_->what(),
                           in_seconds(now - *struck_), in_flight_);
    return fmt::format("{} in {}", breakage_->what(), in_seconds(start_ + at_ - now));
}

std::optional<DrillResult> Drill::result(const Report& report) const {
    if (!struck_ || !report.before_after) return {};
    DrillResult result = judge_drill(*report.before_after, report.methods);
    result.at = *struck_ - start_;
    result.what = breakage_->what();
    result.in_flight = in_flight_;
    if (mended_) result.healed = *mended_ - start_;
    return result;
}

DrillResult judge_drill(const BeforeAfter& counted, const std::vector<std::string>& names) {
    DrillResult result;
    Histogram before(2);
    result.until_clean = Duration::zero();
    for (const BeforeAfter::Method& method : counted.methods())
        before.add(method.before.latency);
    result.usual = before.at(0.99);
    result.longest_before = before.max();
    for (std::size_t i = 0; i < names.size(); ++i) {
        DrillMethod method = judge_method(counted.methods()[i], before);
        method.name = names[i];
        result.failed += method.failed;
        result.longest_after = std::max(result.longest_after, method.longest_after);
        if (!method.until_clean) {
            result.until_clean.reset();
        } else if (result.until_clean) {
            result.until_clean = std::max(*result.until_clean, *method.until_clean);
        }
        result.methods.push_back(std::move(method));
    }
    return result;
}

}  // namespace scrollgate::bench
