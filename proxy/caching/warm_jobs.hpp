// WarmJobs: URLs that are fetched into the cache without a client, each job at its own rate.
//
// What is fetched goes to the workers in turn, without Accept-Encoding, and if the answer varies by
// it with the usual ones, too, which counts in the rate; at most limits::warm_in_flight fetches are
// under way at a time. A standing job never ends: URLs are added to it when they are due. Finished
// jobs can be asked about until limits::warm_jobs newer ones have finished. Control thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/net/alarm.hpp"

namespace scrollgate {

/// How one fetch ended. Texts of its own, because it comes from another thread.
struct WarmEnd {
    bool fetched =
        false;  ///< the origin gave a response, no 5xx, or said that what is stored is good
    bool stored = false;    ///< and it is in the cache
    std::string why;        ///< if not
    unsigned asked = 1;     ///< requests to the origin: several where there are variants by coding
    bool hopeless = false;  ///< nobody can be asked: it is no URL, or none that is cached
};

struct WarmProgress {
    std::uint64_t id = 0;
    double rate = 0;
    std::uint64_t total = 0, done = 0, stored = 0, not_stored = 0, failed = 0;
    bool finished = false;
    /// The first of those that were not stored or failed.
    std::vector<std::pair<std::string, std::string>> troubles;  ///< URL, why
};

class WarmJobs {
  public:
    using Ended = std::function<void(WarmEnd)>;
    /// Fetches a URL on some worker; calls `Ended` once, never before it returns, on this thread.
    using Fetch = std::function<void(const std::string& url, Ended)>;
    /// Told of each URL of a standing job.
    using Each = std::function<void(std::uint64_t id, const std::string& url, const WarmEnd& end)>;

    /// Clock and alarm outlive it; the alarm is its own.
    WarmJobs(const Clock& clock, Alarm& alarm, Fetch fetch);

    /// A job for `urls`, `rate` (> 0) per second. Nothing: limits::warm_jobs are under way.
    [[nodiscard]] std::optional<std::uint64_t> start(std::vector<std::string> urls, double rate);
    /// A standing job that begins with `urls`; `each` must stay valid.
    [[nodiscard]] std::uint64_t stand(double rate, Each each, std::vector<std::string> urls = {});
    /// One more URL for a standing job.
    void add(std::uint64_t id, std::string url);
    /// Ends a standing job; what is under way is not told any more.
    void end(std::uint64_t id);
    /// Nothing more is begun, and nobody is told.
    void stop() { jobs_.clear(); }

    /// Nothing: there is no such job, or it is forgotten.
    [[nodiscard]] std::optional<WarmProgress> progress(std::uint64_t id) const;
    /// Tells `look`, once, when job `id` has gone on by a hundredth from `seen` done fetches, or
    /// has ended or is forgotten, or at the next tell_all().
    void watch(std::uint64_t id, std::uint64_t seen, std::function<void()> look);
    /// Tells all who watch; about once per second.
    void tell_all();
    /// Fetches under way.
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }

  private:
    struct Job {
        WarmProgress progress;
        std::deque<std::string> urls;  ///< not begun
        TimePoint next{};              ///< not before
        Each each;                     ///< of a standing job
    };

    struct Watch {
        std::uint64_t id, until;  ///< so many are done
        std::function<void()> look;
    };

    std::uint64_t add_job(double rate);
    void take(Job& job, std::vector<std::string> urls);
    void tell(bool all);
    void turn();
    void fetch(Job& job);
    void ended(std::uint64_t id, const std::string& url, const WarmEnd& end);
    void forget();

    const Clock& clock_;
    Alarm& alarm_;
    Fetch fetch_;
    std::map<std::uint64_t, Job> jobs_;
    std::vector<Watch> watches_;
    std::uint64_t last_ = 0;
    std::size_t in_flight_ = 0;
};

}  // namespace scrollgate
