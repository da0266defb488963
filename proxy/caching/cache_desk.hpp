// CacheDesk: the control thread's side of the cache: what operators ask of it, what is warmed, and
// what has to be done regularly (expiry, sweeping, remembering the hottest URLs).
//
// Control thread only; each piece of work is short. Answers that take longer come later, by a call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/alarm.hpp"
#include "proxy/admin/explain.hpp"
#include "proxy/caching/by_hand.hpp"
#include "proxy/caching/fill_task.hpp"
#include "proxy/caching/purge_desk.hpp"
#include "proxy/caching/response_cache.hpp"
#include "proxy/caching/warm_jobs.hpp"
#include "proxy/caching/warm_sets.hpp"

namespace scrollgate {

/// A purge in an operator's words.
struct PurgeWish {
    Purge::By by = Purge::By::all;
    std::string what;  ///< a URL (scheme optional), what URLs begin with, or a tag
    bool soft = false;
};

class CacheDesk {
  public:
    struct Hooks {
        std::function<std::shared_ptr<const Snapshot>()> snapshot;  ///< the one in use
        /// Fetches on some worker; calls back once, later, on this thread.
        std::function<void(FillOrder, WarmJobs::Ended)> fetch;
        std::function<void(std::function<void()>)> later;  ///< calls soon, on this thread
        std::function<std::unique_ptr<Alarm>()> alarm;     ///< makes one
    };

    /// Clock and cache outlive it; the cache has its fleet, if there is one.
    CacheDesk(const Clock& clock, ResponseCache& cache, Hooks hooks);

    /// Fetches what the configuration wants warmed. Once, when workers run.
    void start();
    /// The configuration has changed.
    void reload();
    /// Writes the hottest URLs, warms no more. Before workers stop.
    void stop();
    /// What is to be warmed at start is there, or has had its time.
    [[nodiscard]] bool warmed() const { return sets_.ready(); }

    /// Others have purged: it is to be swept.
    void sweep() { purges_.look(); }
    /// `done` is told how many objects it covered, once they are gone, and on how many nodes.
    [[nodiscard]] CacheRefusal purge(const PurgeWish& wish, PurgeDesk::Done done);
    /// `name`: URL or bare key. `where` is told how clients get it.
    [[nodiscard]] CacheRefusal put(std::string_view name, const HandEntry& entry,
                                   std::string& where);
    [[nodiscard]] HandFound get(std::string_view name) const;
    /// All variants of it.
    [[nodiscard]] CacheRefusal remove(std::string_view name, PurgeDesk::Done done);
    /// A job for `urls`; its number into `job`.
    [[nodiscard]] CacheRefusal warm(std::vector<std::string> urls, double rate, std::uint64_t& job);
    [[nodiscard]] std::optional<WarmProgress> progress(std::uint64_t job) const {
        return jobs_.progress(job);
    }
    /// Calls `look` once: see WarmJobs::watch().
    void watch(std::uint64_t job, std::uint64_t seen, std::function<void()> look) {
        jobs_.watch(job, seen, std::move(look));
    }

    /// What a GET of `url` would get.
    [[nodiscard]] Explanation explain(std::string_view url, const HeaderList& fields,
                                      const Status& status) const {
        return explain_url(*hooks_.snapshot(), url, fields, {&cache_.store, &status, clock_.now()});
    }

  private:
    void fetch(const std::string& url, WarmJobs::Ended ended);
    void tick();
    [[nodiscard]] std::optional<std::int64_t> ttl_of(const std::string& url) const;
    [[nodiscard]] HottestFile::Look hottest(std::size_t most) const;

    const Clock& clock_;
    ResponseCache& cache_;
    Hooks hooks_;
    std::unique_ptr<Alarm> purge_alarm_, jobs_alarm_, sets_alarm_, tick_alarm_;
    PurgeDesk purges_;
    WarmJobs jobs_;
    WarmSets sets_;
};

}  // namespace scrollgate
