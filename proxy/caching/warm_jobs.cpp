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
    job.progress.total = urls.size();
    job.progress.finished = urls.empty();
    job.urls.assign(std::make_move_iterator(urls.begin()), std::make_move_iterator(urls.end()));
    alarm_.set(Duration::zero(), [this] { turn(); });
    return id;
}

std::uint64_t WarmJobs::stand(double rate, Each each) {
    const std::uint64_t id = add_job(rate);
    jobs_[id].each = std::move(each);
    return id;
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
    ++progress.done;
    ++(!end.fetched ? progress.failed : end.stored ? progress.stored : progress.not_stored);
    if (!end.stored && progress.troubles.size() < limits::warm_troubles)
        progress.troubles.emplace_back(url, end.why);
    if (found->second.each) return found->second.each(id, url, end);
    progress.finished = progress.done == progress.total;
    if (progress.finished) forget();
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
