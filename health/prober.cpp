#include "health/prober.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate {

void ProbeLoop::stop() {
    stopped_ = true;
    probe_.cancel();
    pause_.end();
}

std::optional<TimePoint> ProbeLoop::plan() {
    constexpr auto name_wait = std::chrono::milliseconds(100);
    plan_ = make_plan_();
    if (plan_.pending) return loop_.now() + name_wait;
    return std::nullopt;
}

Prober::Prober(EventLoop& loop, Dialer& dialer, Plan plan, Report report, TimePoint due)
    : ProbeLoop(loop, dialer, std::move(plan)), report_(std::move(report)), due_(due) {
    child_.start(run());
}

Task<void> Prober::run() {
    while (!stopped_) {
        pausing_ = true;
        co_await pause_.until(due_);
        pausing_ = false;
        if (stopped_) break;
        if (loop_.now() < due_) continue;  // rescheduled
        if (const std::optional<TimePoint> later = plan()) {
            due_ = *later;
            continue;
        }
        const TimePoint began = loop_.now();
        const ProbeResult result = co_await probe_.run(plan_);
        if (!stopped_) due_ = report_(result, began);
    }
    probe_.close();
}

void Prober::reschedule(TimePoint due) {
    if (!pausing_ || due == due_) return;
    due_ = due;
    pause_.end();
}

Webhook::Webhook(EventLoop& loop, Dialer& dialer, std::string name, Plan plan)
    : ProbeLoop(loop, dialer, std::move(plan)), name_(std::move(name)) {
    child_.start(run());
}

void Webhook::tell(std::string content) {
    next_ = std::move(content);
    tries_ = 0;
    pause_.end();
}

Task<void> Webhook::run() {
    while (!stopped_) {
        if (!next_ || tries_ > 0) co_await pause_.until(again_);
        if (stopped_ || !next_) continue;
        if (const std::optional<TimePoint> later = plan()) {
            tries_ = std::max(tries_, 1U);  // so that it waits
            again_ = *later;
            continue;
        }
        const std::string content = *next_;
        plan_.content = content;
        ++tries_;
        const unsigned tries = tries_;
        const ProbeResult result = co_await probe_.run(plan_);
        if (stopped_) break;
        if (tries_ != tries || *next_ != content) {  // something else is to be told meanwhile
            tries_ = 0;
        } else if (!result.passed) {
            not_heard(result.why);
        } else {
            if (tries_ > limits::webhook_tries) log::info("{}: webhook is heard again", name_);
            next_.reset();
            again_ = never;
        }
    }
    probe_.close();
}

/// When to try again, if at all.
void Webhook::not_heard(const std::string& why) {
    if (tries_ >= limits::webhook_tries_most) {
        log::warn(
            "{}: webhook was not heard in {} tries, and is told no more until something "
            "else is wanted: {}",
            name_, tries_, why);
        next_.reset();
        again_ = never;
        return;
    }
    if (tries_ == limits::webhook_tries) {
        log::warn("{}: webhook was not heard in {} tries, and is told again at times: {}", name_,
                  tries_, why);
    }
    constexpr unsigned doublings = 16;  // far beyond the longest pause
    again_ = loop_.now() + std::min<Duration>(limits::webhook_retry_max,
                                              Duration(limits::webhook_retry) *
                                                  (1U << std::min(tries_ - 1, doublings)));
}

}  // namespace scrollgate
