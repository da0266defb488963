// WarmSets: what the configuration wants in the cache: fetched at start, and again before it
// expires; and the URLs in most demand, which are remembered over a restart.
//
// Each set is a standing job of WarmJobs. A URL that was stored is due again when nine tenths of
// the time that it stays fresh are over, or within a minute after it was purged or evicted; one
// that failed or was not stored, after limits::warm_again. While the start waits for a set, what
// fails is fetched again sooner. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/model.hpp"
#include "core/clock.hpp"
#include "core/net/alarm.hpp"
#include "proxy/caching/hottest_file.hpp"
#include "proxy/caching/warm_jobs.hpp"

namespace scrollgate {

class WarmSets {
  public:
    struct Hooks {
        /// Seconds for which what is stored for a URL stays fresh; nothing: it is not stored.
        std::function<std::optional<std::int64_t>(const std::string& url)> ttl;
        /// Finds the URLs in most demand, at most so many; for another thread, takes its time.
        std::function<HottestFile::Look(std::size_t most)> hottest;
    };

    /// Clock, alarm and jobs outlive it; the alarm is its own.
    WarmSets(const Clock& clock, Alarm& alarm, WarmJobs& jobs, Hooks hooks);

    /// The sets of a configuration in place of those before; those that are the same go on, and so
    /// does one whose file cannot be read any more. What is not stored any more, or under another
    /// key, is fetched again. At start also the file of the hottest.
    void use(const config::Cache& cache, bool at_start);
    /// All has been fetched once since the start, or warm_deadline is over. Once true, it stays so.
    [[nodiscard]] bool ready() const;
    /// Begins to write the file of the hottest, if there is one; every minute and at the end. Not
    /// while what stood in it is being fetched: the rest would be forgotten.
    void remember();
    /// Ends all refreshing, and writes the file of the hottest.
    void stop();

  private:
    struct Due {
        std::uint64_t job = 0;
        std::string url;
        TimePoint at{};  ///< what is stored may be looked at before
    };
    struct Set {
        std::uint64_t urls;  ///< a hash of them, where they are compared
        double rate;
        bool refresh;
        std::uint64_t job;
        std::string file;  ///< where some of them stood; empty: nowhere
    };
    /// Fetches that failed, until they are told of.
    struct Failures {
        std::size_t count = 0;
        std::string url, why;  ///< of the first
    };

    void add_configured(const config::WarmSet& set, std::vector<Set>& old);
    void add_hottest();
    void add_set(std::vector<std::string> urls, Set set, std::vector<Set>& old);
    /// `set` with a job for `urls`, of which there are some.
    [[nodiscard]] Set begin_set(std::vector<std::string> urls, Set set);
    void end_set(const Set& set);
    void hasten_lost();
    void schedule(Due due);
    void fetch_again(Due due);
    [[nodiscard]] bool knows_hottest() const;
    void tell_failures();
    void ended(std::uint64_t job, const std::string& url, const WarmEnd& end, bool refresh);
    void turn();

    const Clock& clock_;
    Alarm& alarm_;
    WarmJobs& jobs_;
    Hooks hooks_;
    std::vector<Set> sets_;
    std::multimap<TimePoint, Due> due_;
    std::map<std::uint64_t, std::size_t> first_;  ///< fetches of the start that have not ended
    std::map<std::uint64_t, Failures> failures_;  ///< by job
    TimePoint tell_at_ = never;
    TimePoint deadline_{};
    bool waits_ = false;  ///< for what comes into sets_ now
    TimePoint write_at_ = never;
    std::string file_;
    std::size_t most_ = 0;
    std::optional<Set> hottest_set_;  ///< what stood in the file at the start
    HottestFile hottest_;
};

}  // namespace scrollgate
