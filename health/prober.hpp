// Prober: asks one thing again and again, and reports. Webhook: tells one thing until it is heard.
//
// Both run a coroutine on health's loop. stop() makes it end soon; the object is destroyed when it
// has (not running()). Health's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "health/probe.hpp"

namespace scrollgate {

/// A pause that can be cut short.
class Pause : private TimerWheel::Timer {
  public:
    explicit Pause(EventLoop& loop) noexcept : loop_(loop) {}
    /// co_await pause.until(when); `never` waits for end().
    auto until(TimePoint when) noexcept {
        struct Awaiter {
            Pause& self;
            TimePoint when;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<> h) const noexcept {
                self.waiting_ = h;
                if (when != never) self.loop_.arm(self, when);
            }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this, when};
    }
    /// Whoever waits goes on, in a later step.
    void end() {
        disarm();
        if (const std::coroutine_handle<> h = std::exchange(waiting_, {})) loop_.resume_later(h);
    }

  private:
    void expired() noexcept override { std::exchange(waiting_, {}).resume(); }

    EventLoop& loop_;
    std::coroutine_handle<> waiting_;
};

/// What both have: probes and pauses in turn, until stop().
class ProbeLoop {
  public:
    /// What to ask now; called before each probe.
    using Plan = std::function<ProbePlan()>;

    void stop();
    [[nodiscard]] bool running() const noexcept { return child_.running(); }

  protected:
    /// `loop` and `dialer` outlive it.
    ProbeLoop(EventLoop& loop, Dialer& dialer, Plan plan)
        : loop_(loop), pause_(loop), probe_(loop, dialer), make_plan_(std::move(plan)) {}
    ~ProbeLoop() = default;
    /// Makes the plan of the next probe. Nothing if it can be carried out now; else, while its name
    /// is being resolved, when to ask again.
    [[nodiscard]] std::optional<TimePoint> plan();

    EventLoop& loop_;
    Pause pause_;
    Probe probe_;
    ProbePlan plan_;
    bool stopped_ = false;
    Child child_;

  private:
    const Plan make_plan_;
};

class Prober final : public ProbeLoop {
  public:
    /// A probe that began at `began` has ended; returns when the next is due, `never` for no more.
    using Report = std::function<TimePoint(const ProbeResult& result, TimePoint began)>;

    /// The first probe is due at `due`.
    Prober(EventLoop& loop, Dialer& dialer, Plan plan, Report report, TimePoint due);
    /// Another time for the next probe, unless one is under way.
    void reschedule(TimePoint due);

  private:
    Task<void> run();

    const Report report_;
    TimePoint due_;
    bool pausing_ = false;
};

class Webhook final : public ProbeLoop {
  public:
    /// `name` is for the log.
    Webhook(EventLoop& loop, Dialer& dialer, std::string name, Plan plan);
    /// POSTs `content` (JSON); what has not been heard yet is forgotten for it. Tries again after
    /// limits::webhook_retry, twice as long each time, at most limits::webhook_retry_max, until it
    /// has been heard, at most limits::webhook_tries_most times. The log says when it was not heard
    /// in limits::webhook_tries times, and when it is given up.
    void tell(std::string content);

  private:
    Task<void> run();
    void not_heard(const std::string& why);

    const std::string name_;
    std::optional<std::string> next_;
    unsigned tries_ = 0;
    TimePoint again_ = never;
};

}  // namespace scrollgate
