// LoadWorker: one thread of the generator, with its loop, its clients and what they counted.
//
// Clients are coroutines that ask for the next job, do it and report a Sample. In an open loop they
// wait until the job is due; the wait ends by a timer of nanoseconds, because latency counts from
// that moment. Everything but stop() belongs to the thread that calls run().
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/before_after.hpp"
#include "bench/load/jobs.hpp"
#include "bench/load/shared_timeline.hpp"
#include "bench/load/tally.hpp"
#include "core/net/event_loop.hpp"

namespace scrollgate::bench {

/// The values of the --by field, numbered as they come; 0 is "(none)". Any thread.
class Groups {
  public:
    /// Below groups_max.
    [[nodiscard]] std::uint8_t number_of(std::string_view value);
    [[nodiscard]] std::vector<std::string> names() const;

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> names_{"(none)"};
};

/// One connection with what is needed to use it.
class LoadClient {
  public:
    virtual ~LoadClient() = default;
    /// Starts the coroutines that take jobs; each reports its end to LoadWorker::client_ended().
    virtual void start() = 0;
    /// Breaks off what is under way.
    virtual void abort() noexcept = 0;
};

class LoadWorker {
  public:
    /// Everything outlives the worker. Throws std::system_error without a descriptor to spare.
    LoadWorker(const Plan& plan, unsigned index, SharedTimeline& timeline, Groups& groups);
    ~LoadWorker();

    using MakeClient = std::function<std::unique_ptr<LoadClient>(LoadWorker&)>;
    /// Makes this worker's clients and serves until all have ended: no job is due at or after
    /// `end`; those that were due before are still sent until the plan's timeout has passed since
    /// (in an open loop: the others are dropped), and those under way are waited for. `runners`:
    /// coroutines per client.
    void run(TimePoint start, TimePoint end, const MakeClient& make, unsigned runners);
    /// Breaks off everything. Any thread.
    void stop();

    /// After run().
    [[nodiscard]] const Tally& tally() const noexcept { return tally_; }
    /// Nothing unless the plan has a strike.
    [[nodiscard]] const std::optional<BeforeAfter>& before_after() const noexcept {
        return before_after_;
    }
    /// When the last request was done.
    [[nodiscard]] TimePoint last_done() const noexcept { return last_done_; }
    /// The end of a run by time if nothing ended it earlier; else zero.
    [[nodiscard]] TimePoint waited_until() const noexcept { return waited_until_; }

    // -- for clients
    /// co_await worker.next_job(): a job, or nothing when it is time to end.
    class NextJob {
      public:
        explicit NextJob(LoadWorker& worker) noexcept : worker_(worker) {}
        bool await_ready() { return worker_.take(*this); }
        void await_suspend(std::coroutine_handle<> waiting);
        [[nodiscard]] const std::optional<Job>& await_resume() const noexcept { return job_; }

      private:
        friend class LoadWorker;
        LoadWorker& worker_;
        TimePoint free_since_{};
        std::optional<Job> job_;
        std::coroutine_handle<> waiting_;
    };
    [[nodiscard]] NextJob next_job() noexcept { return NextJob(*this); }
    void finished(const Sample& sample);
    void client_ended();
    [[nodiscard]] bool stopping() const noexcept { return stopping_; }
    [[nodiscard]] EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
    /// The number of a --by value.
    [[nodiscard]] std::uint8_t group_of(std::string_view value);

  private:
    /// A timer that is exact to what the kernel can.
    class Alarm;
    /// Hands over what was counted even while nothing ends.
    struct Flusher final : TimerWheel::Timer {
        explicit Flusher(LoadWorker& of) : worker(of) {}
        void expired() noexcept override { worker.flush(); }
        LoadWorker& worker;
    };

    [[nodiscard]] bool take(NextJob& asker);
    [[nodiscard]] bool may_become_due(TimePoint now) const noexcept;
    void pace();
    void enter_slice(TimePoint when);
    void flush();

    const Plan& plan_;
    const unsigned index_;
    SharedTimeline& timeline_;
    Groups& groups_;
    EventLoop loop_;
    std::unique_ptr<Alarm> alarm_;
    Flusher flusher_{*this};
    std::optional<Jobs> jobs_;
    std::vector<std::unique_ptr<LoadClient>> clients_;
    std::vector<NextJob*> idle_;  ///< that wait for their job, the last one first
    std::vector<std::pair<std::string, std::uint8_t>> known_groups_;
    TimePoint start_{}, end_{}, last_done_{}, waited_until_{};
    TimePoint last_sending_{};  ///< what was due is sent until then
    unsigned running_ = 0;
    bool stopping_ = false;
    Slice slice_;
    Tally tally_;
    std::optional<BeforeAfter> before_after_;
};

}  // namespace scrollgate::bench
