#include "proxy/caching/warm_jobs.hpp"

#include <algorithm>
#include <utility>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

Duration pause(double rate) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate));
}

}  // namespace

WarmJobs::WarmJobs(const Clock& clock, Alarm& alarm, Fetch fetch)
    : clock_(clock), alarm_(alarm), fetch_(std::move(fetch)) {}

std::uint64_t WarmJobs::add_job(double rate) {
    Job& job = jobs_[++last_];
    job.progress.id = last_;
    job.progress.rate = rate;
    job.next = clock_.now();
    return last_;
}

std::optional<std::uint64_t> WarmJobs::start(std::vector<std::string> urls, double rate) {
    const auto under_way = std::count_if(jobs_.begin(), jobs_.end(), [](const auto& job) {
        return !job.second.progress.finished && !job.second.each;
    });
    if (static_cast<std::size_t>(under_way) >= limits::warm_jobs) return std::nullopt;
    const std::uint64_t id = add_job(rate);
    Job& job = jobs_[id];
    job.progress.finished = urls.empty();
    take(job, std::move(urls));
    return id;
}

std::uint64_t WarmJobs::stand(double rate, Each each, std::vector<std::string> urls) {
    const std::uint64_t id = add_job(rate);
    Job& job = jobs_[id];
    job.each = std::move(each);
    take(job, std::move(urls));
    return id;
}

/// Many at a time: a timer is not set for each.
void WarmJobs::take(Job& job, std::vector<std::string> urls) {
    job.progress.total += urls.size();
    job.urls.insert(job.urls.end(), std::make_move_iterator(urls.begin()),
                    std::make_move_iterator(urls.end()));
    alarm_.set(Duration::zero(), [this] { turn(); });
}

void WarmJobs::add(std::uint64_t id, std::string url) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;
    found->second.urls.push_back(std::move(url));
    ++found->second.progress.total;
    alarm_.set(Duration::zero(), [this] { turn(); });
}

void WarmJobs::end(std::uint64_t id) {
    jobs_.erase(id);
}

/// Begins what is due; sleeps to the next. With all places taken it is woken by an end.
void WarmJobs::turn() {
    const TimePoint now = clock_.now();
    TimePoint next = never;
    for (auto& [id, job] : jobs_) {
        // After a rest it does not catch up on what it has missed.
        job.next = std::max(job.next, now - limits::warm_burst);
        while (!job.urls.empty() && job.next <= now && in_flight_ < limits::warm_in_flight)
            fetch(job);
        if (!job.urls.empty() && job.next > now) next = std::min(next, job.next);
    }
    if (next != never && in_flight_ < limits::warm_in_flight)
        alarm_.set(next - now, [this] { turn(); });
}

void WarmJobs::fetch(Job& job) {
    std::string url = std::move(job.urls.front());
    job.urls.pop_front();
    job.next += pause(job.progress.rate);
    ++in_flight_;
    const std::uint64_t id = job.progress.id;
    fetch_(url, [this, id, url](const WarmEnd& end) { ended(id, url, end); });
}

void WarmJobs::ended(std::uint64_t id, const std::string& url, const WarmEnd& end) {
    --in_flight_;
    alarm_.set(Duration::zero(), [this] { turn(); });
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;
    WarmProgress& progress = found->second.progress;
    found->second.next += (end.asked - 1) * pause(progress.rate);
    ++progress.done;
    ++(!end.fetched ? progress.failed : end.stored ? progress.stored : progress.not_stored);
    if (!end.stored && progress.troubles.size() < limits::warm_troubles)
        progress.troubles.emplace_back(url, end.why);
    if (found->second.each) return found->second.each(id, url, end);
    progress.finished = progress.done == progress.total;
    if (progress.finished) forget();
    tell(false);
}

void WarmJobs::watch(std::uint64_t id, std::uint64_t seen, std::function<void()> look) {
    const auto found = jobs_.find(id);
    const std::uint64_t total = found == jobs_.end() ? 0 : found->second.progress.total;
    watches_.push_back({id, seen + std::max<std::uint64_t>(total / 100, 1), std::move(look)});
    tell(false);
}

void WarmJobs::tell_all() {
    tell(true);
}

/// Whoever is told may watch again at once.
void WarmJobs::tell(bool all) {
    std::vector<Watch> told;
    std::erase_if(watches_, [&](Watch& watch) {
        const std::optional<WarmProgress> now = progress(watch.id);
        const bool due = all || !now || now->finished || now->done >= watch.until;
        if (due) told.push_back(std::move(watch));
        return due;
    });
    for (const Watch& watch : told)
        watch.look();
}

/// The oldest of too many finished jobs.
void WarmJobs::forget() {
    std::size_t finished = 0;
    for (const auto& [id, job] : jobs_)
        finished += job.progress.finished ? 1 : 0;
    if (finished <= limits::warm_jobs) return;
    const auto oldest = std::find_if(jobs_.begin(), jobs_.end(),
                                     [](const auto& job) { return job.second.progress.finished; });
    jobs_.erase(oldest);
}

std::optional<WarmProgress> WarmJobs::progress(std::uint64_t id) const {
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || found->second.each) return std::nullopt;
    return found->second.progress;
}

}  // namespace scrollgate
