#include "proxy/caching/warm_sets.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <unistd.h>

#include "cache/key.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "proxy/caching/warm_file.hpp"

namespace scrollgate {
namespace {

constexpr Duration failures_gather = std::chrono::seconds(2);  // before they are told of

std::uint64_t hash_of(const std::vector<std::string>& urls) noexcept {
    std::uint64_t hash = 0;
    for (const std::string& url : urls)
        hash = hash * 0x100000001b3U + cache_hash(url);
    return hash;
}

}  // namespace

WarmSets::WarmSets(const Clock& clock, Alarm& alarm, WarmJobs& jobs, Hooks hooks)
    : clock_(clock), alarm_(alarm), jobs_(jobs), hooks_(std::move(hooks)) {}

void WarmSets::use(const config::Cache& cache, bool at_start) {
    std::vector<Set> old = std::exchange(sets_, {});
    waits_ = at_start || !ready();
    if (at_start) deadline_ = clock_.now() + cache.warm_deadline;
    for (const config::WarmSet& set : cache.warm)
        add_configured(set, old);
    for (const Set& set : old)
        end_set(set);
    if (hottest_set_ && cache.hottest_file != file_) end_set(*std::exchange(hottest_set_, {}));
    file_ = cache.hottest_file;
    most_ = cache.hottest;
    write_at_ = file_.empty() ? never : clock_.now() + limits::hottest_interval;
    if (at_start)
        add_hottest();
    else
        hasten_lost();
    alarm_.set(Duration::zero(), [this] { turn(); });
}

void WarmSets::add_configured(const config::WarmSet& set, std::vector<Set>& old) {
    std::vector<std::string> urls = set.urls;
    if (!set.file.empty()) {
        UrlFile read = read_url_file(set.file);
        if (!read.error.empty()) {
            log::error("cache.warm: {}", read.error);
            const auto before = std::find_if(old.begin(), old.end(), [&](const Set& one) {
                return one.file == set.file && one.refresh == set.refresh;
            });
            if (before != old.end()) {
                log::info("cache.warm: {}: the set stays as it was read before", set.file);
                sets_.push_back(std::move(*before));
                old.erase(before);
                return;
            }
        }
        urls.insert(urls.end(), std::make_move_iterator(read.urls.begin()),
                    std::make_move_iterator(read.urls.end()));
    }
    add_set(std::move(urls), {0, set.rate, set.refresh, 0, set.file}, old);
}

void WarmSets::add_hottest() {
    if (file_.empty() || ::access(file_.c_str(), F_OK) != 0) return;
    UrlFile read = read_url_file(file_);
    if (!read.error.empty()) log::warn("cache.hottest: {}", read.error);
    read.urls.resize(std::min(read.urls.size(), most_));
    if (read.urls.empty()) return;
    hottest_set_ = begin_set(std::move(read.urls), {0, limits::hottest_rate, false, 0, file_});
}

void WarmSets::add_set(std::vector<std::string> urls, Set set, std::vector<Set>& old) {
    if (urls.empty()) return;
    set.urls = hash_of(urls);
    const auto same = std::find_if(old.begin(), old.end(), [&](const Set& one) {
        return one.urls == set.urls && one.rate == set.rate && one.refresh == set.refresh;
    });
    if (same != old.end()) {
        set.job = same->job;
        old.erase(same);
        sets_.push_back(std::move(set));
        return;
    }
    sets_.push_back(begin_set(std::move(urls), std::move(set)));
}

WarmSets::Set WarmSets::begin_set(std::vector<std::string> urls, Set set) {
    const std::size_t count = urls.size();
    set.job = jobs_.stand(
        set.rate,
        [this, refresh = set.refresh](std::uint64_t id, const auto& url, const WarmEnd& end) {
            ended(id, url, end, refresh);
        },
        std::move(urls));
    if (waits_) first_[set.job] = count;
    return set;
}

/// A reload may have given URLs other keys, or ended what was stored for them.
void WarmSets::hasten_lost() {
    const TimePoint now = clock_.now();
    std::vector<Due> lost;
    std::erase_if(due_, [&](auto& due) {
        if (hooks_.ttl(due.second.url)) return false;
        lost.push_back(std::move(due.second));
        return true;
    });
    for (Due& due : lost) {
        due.at = now;
        schedule(std::move(due));
    }
}

void WarmSets::end_set(const Set& set) {
    jobs_.end(set.job);
    first_.erase(set.job);
    failures_.erase(set.job);
    std::erase_if(due_, [&](const auto& due) { return due.second.job == set.job; });
}

void WarmSets::ended(std::uint64_t job, const std::string& url, const WarmEnd& end, bool refresh) {
    const auto first = first_.find(job);
    const bool try_on =
        !end.fetched && !end.hopeless && first != first_.end() && clock_.now() < deadline_;
    if (!try_on && first != first_.end() && --first->second == 0) first_.erase(first);
    if (!end.fetched) {
        Failures& failures = failures_[job];
        if (failures.count++ == 0) failures = {1, url, end.why};
        tell_at_ = std::min(tell_at_, clock_.now() + failures_gather);
    }
    if (!refresh && !try_on) return turn();
    Duration again = try_on ? limits::warm_start_again : limits::warm_again;
    if (const auto ttl = end.stored ? hooks_.ttl(url) : std::nullopt; ttl && *ttl > 0)
        again = std::max<Duration>(std::chrono::milliseconds(*ttl * 900), limits::warm_again_least);
    schedule({job, url, clock_.now() + again});
    turn();
}

void WarmSets::schedule(Due due) {
    const TimePoint when = std::min(due.at, clock_.now() + limits::warm_look);
    due_.emplace(when, std::move(due));
}

/// At its time, or when what was stored is there no more.
void WarmSets::fetch_again(Due due) {
    if (clock_.now() < due.at && hooks_.ttl(due.url)) return schedule(std::move(due));
    jobs_.add(due.job, std::move(due.url));
}

/// Hands over what is due, writes the file when it is time, and sleeps to the next.
void WarmSets::turn() {
    const TimePoint now = clock_.now();
    while (!due_.empty() && due_.begin()->first <= now) {
        Due due = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        fetch_again(std::move(due));
    }
    if (tell_at_ <= now) tell_failures();
    if (write_at_ <= now) {
        remember();
        write_at_ = now + limits::hottest_interval;
    }
    const TimePoint next =
        std::min({write_at_, tell_at_, due_.empty() ? never : due_.begin()->first});
    if (next != never) alarm_.set(next - now, [this] { turn(); });
}

/// One line for each set, however many have failed.
void WarmSets::tell_failures() {
    for (const auto& [job, failures] : std::exchange(failures_, {})) {
        if (failures.count == 1)
            log::warn("cache: {} could not be warmed: {}", failures.url, failures.why);
        else
            log::warn("cache: {} fetches for a set have failed, first {}: {}", failures.count,
                      failures.url, failures.why);
    }
    tell_at_ = never;
}

bool WarmSets::ready() const {
    return first_.empty() || clock_.now() >= deadline_;
}

bool WarmSets::knows_hottest() const {
    return !hottest_set_ || !first_.contains(hottest_set_->job);
}

void WarmSets::remember() {
    if (!file_.empty() && knows_hottest()) hottest_.begin(file_, hooks_.hottest(most_));
}

void WarmSets::stop() {
    due_.clear();
    tell_failures();
    write_at_ = never;
    alarm_.cancel();
    hottest_.wait();  // what is under way knows too little
    remember();
    hottest_.wait();
}

}  // namespace scrollgate
