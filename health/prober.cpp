#include "health/prober.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate {
namespace {

constexpr auto name_wait = std::chrono::milliseconds(100);

}  // namespace

Prober::Prober(EventLoop& loop, Dialer& dialer, Plan plan, Report report, TimePoint due)
    : loop_(loop),
      pause_(loop),
      probe_(loop, dialer),
      make_plan_(std::move(plan)),
      report_(std::move(report)),
      due_(due) {
    child_.start(run());
}

Task<void> Prober::run() {
    while (!stopped_) {
        pausing_ = true;
        co_await pause_.until(due_);
        pausing_ = false;
        if (stopped_) break;
        if (loop_.now() < due_) continue;  // rescheduled
        plan_ = make_plan_();
        if (plan_.pending) {
            due_ = loop_.now() + name_wait;
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

void Prober::stop() {
    stopped_ = true;
    probe_.cancel();
    pause_.end();
}

Webhook::Webhook(EventLoop& loop, Dialer& dialer, std::string name, Plan plan)
    : loop_(loop),
      pause_(loop),
      probe_(loop, dialer),
      name_(std::move(name)),
      make_plan_(std::move(plan)) {
    child_.start(run());
}

void Webhook::tell(std::string content) {
    next_ = std::move(content);
    tries_ = 0;
    pause_.end();
}

Task<void> Webhook::run() {
    TimePoint again = never;
    while (!stopped_) {
        if (!next_ || tries_ > 0) co_await pause_.until(again);
        if (stopped_ || !next_) continue;
        plan_ = make_plan_();
        if (plan_.pending) {
            tries_ = std::max(tries_, 1U);  // so that it waits
            again = loop_.now() + name_wait;
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
            continue;
        }
        if (result.passed) {
            if (tries_ > limits::webhook_tries) log::info("{}: webhook is heard again", name_);
            next_.reset();
            tries_ = 0;
            again = never;
            continue;
        }
        if (tries_ == limits::webhook_tries) {
            log::warn("{}: webhook was not heard in {} tries, and is told again at times: {}",
                      name_, tries_, result.why);
        }
        constexpr unsigned doublings = 16;  // far beyond the longest pause
        again = loop_.now() + std::min<Duration>(limits::webhook_retry_max,
                                                 Duration(limits::webhook_retry) *
                                                     (1U << std::min(tries_ - 1, doublings)));
    }
    probe_.close();
}

void Webhook::stop() {
    stopped_ = true;
    probe_.cancel();
    pause_.end();
}

}  // namespace scrollgate
