#include "bench/load/jobs.hpp"

#include <limits>

#include <fmt/format.h>

namespace scrollgate::bench {
namespace {

constexpr std::string_view placeholder = "{n}";

/// This worker's part of `all`.
std::uint64_t part_of(std::optional<std::uint64_t> all, unsigned index, unsigned workers) {
    if (!all) return std::numeric_limits<std::uint64_t>::max();
    return *all / workers + (index < *all % workers ? 1 : 0);
}

}  // namespace

void append_target(std::string& out, const Job& job) {
    out += job.before;
    if (job.numbered) {
        const fmt::format_int digits(job.number);
        out.append(digits.data(), digits.size());
    }
    out += job.after;
}

Jobs::Jobs(const Plan& plan, unsigned index, TimePoint start, TimePoint end, Rng& rng)
    : plan_(plan),
      rng_(rng),
      start_(start),
      end_(end),
      keys_(plan.keys, plan.zipf),
      left_(part_of(plan.requests, index, plan.workers)),
      next_row_(index),
      next_target_(index) {
    for (const std::string& target : plan.targets) {
        const std::string_view text = target;
        const std::size_t hole = text.find(placeholder);
        if (hole == std::string_view::npos) {
            templates_.push_back({text, {}, false});
        } else {
            templates_.push_back(
                {text.substr(0, hole), text.substr(hole + placeholder.size()), true});
        }
    }
    for (const Plan::MethodShare& method : plan.methods)
        weight_total_ += method.weight;
    if (!plan.rate.empty())
        arrivals_.emplace(plan.arrivals, plan.rate, start, index, plan.workers, rng);
}

TimePoint Jobs::due() const noexcept {
    if (stopped_ || left_ == 0) return never;
    TimePoint when = start_;
    if (!plan_.replay.empty()) {
        if (next_row_ >= plan_.replay.size()) return never;
        if (plan_.speed > 0) {
            const double ns = static_cast<double>(plan_.replay[next_row_].at.count()) / plan_.speed;
            when = after(when, duration_of(ns));
        }
    } else if (arrivals_) {
        when = arrivals_->due();
    }
    return when < end_ ? when : never;
}

Job Jobs::take(TimePoint now) {
    Job job;
    job.taken = now;
    const TimePoint planned = due();
    --left_;
    if (!plan_.replay.empty()) {
        const Recorded& row = plan_.replay[next_row_];
        job.intended = plan_.speed > 0 ? planned : now;
        job.method = row.method;
        job.before = row.target;
        next_row_ += plan_.workers;
        return job;
    }
    job.intended = arrivals_ ? planned : now;
    if (arrivals_) arrivals_->advance();
    const Template& chosen = templates_[next_target_ % templates_.size()];
    next_target_ += plan_.workers;
    job.before = chosen.before;
    job.after = chosen.after;
    job.numbered = chosen.numbered;
    if (chosen.numbered) job.number = keys_.draw(rng_);
    job.method = draw_method();
    return job;
}

std::uint8_t Jobs::draw_method() noexcept {
    if (plan_.methods.size() == 1) return 0;
    double at = uniform(rng_) * weight_total_;
    for (std::size_t i = 0; i + 1 < plan_.methods.size(); ++i) {
        at -= plan_.methods[i].weight;
        if (at < 0) return static_cast<std::uint8_t>(i);
    }
    return static_cast<std::uint8_t>(plan_.methods.size() - 1);
}

std::uint64_t Jobs::drop_rest() {
    if (!plan_.open_loop() || plan_.requests) return 0;
    if (arrivals_) return arrivals_->skip_to(end_);
    std::uint64_t dropped = 0;
    for (; due() != never; ++dropped)
        next_row_ += plan_.workers;
    return dropped;
}

}  // namespace scrollgate::bench
