#include "bench/load/load.hpp"

#include <condition_variable>
#include <ctime>
#include <thread>

#include <fmt/chrono.h>

#include "bench/load/http1_client.hpp"
#include "bench/load/http2_client.hpp"

namespace scrollgate::bench {
namespace {

using namespace std::chrono_literals;

/// Of a slice of the timeline, before it grows too long.
constexpr Duration slice_width = 100ms;

std::string date_text(WallTime when) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(when));
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

}  // namespace

Load::Load(const Plan& plan, Dial dial)
    : plan_(plan), dial_(std::move(dial)), timeline_(slice_width) {
    for (unsigned i = 0; i < plan.workers; ++i)
        workers_.push_back(std::make_unique<LoadWorker>(plan, i, timeline_, groups_));
}

Load::~Load() = default;

Report Load::run(const std::function<void(const Progress&)>& watch, int per_second) {
    const Clock& clock = system_clock();
    const std::string started = date_text(clock.wall());
    const TimePoint start = clock.now();
    start_ = start;
    const TimePoint end = plan_.requests ? never : after(start, plan_.duration);

    std::mutex mutex;
    std::condition_variable ended;
    std::size_t running = workers_.size();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        threads.emplace_back([&, i] {
            std::size_t number = i;
            workers_[i]->run(
                start, end,
                [&](LoadWorker& worker) {
                    number += workers_.size();
                    return plan_.http2 ? make_http2_client(worker, dial_, number)
                                       : make_http1_client(worker, dial_, number);
                },
                plan_.streams);
            const std::lock_guard lock(mutex);
            --running;
            ended.notify_one();
        });
    }
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, 1'000'000us / per_second, [&] { return running == 0; })) {
        lock.unlock();
        const Duration elapsed = clock.now() - start;
        if (watch) watch({elapsed, timeline_.total(), timeline_.recent(elapsed), groups_.names()});
        lock.lock();
    }
    lock.unlock();
    for (std::thread& thread : threads)
        thread.join();
    Report result = report();
    result.started = started;
    return result;
}

void Load::stop() {
    stopped_ = system_clock().now();
    for (const std::unique_ptr<LoadWorker>& worker : workers_)
        worker->stop();
}

/// From the start to the last response, and to the moment that ended the run if that was later:
/// time in which nothing came has passed, too.
Duration Load::elapsed() const {
    TimePoint last = std::max(start_.load(), stopped_.load());
    for (const std::unique_ptr<LoadWorker>& worker : workers_)
        last = std::max({last, worker->last_done(), worker->waited_until()});
    return last - start_.load();
}

Report Load::report() {
    std::vector<std::string> methods;
    for (const Plan::MethodShare& method : plan_.methods)
        methods.push_back(method.name);
    Report report(std::move(methods), slice_width);
    report.tool = "scrollgate-bench " SCROLLGATE_VERSION;
    report.url = plan_.url;
    report.protocol = !plan_.http2 ? "http/1.1" : plan_.origin.tls ? "h2" : "h2c";
    report.groups = groups_.names();
    report.grouped_by = plan_.by;
    report.connections = plan_.connections;
    report.streams = plan_.streams;
    report.workers = plan_.workers;
    report.interrupted = stopped_.load() != TimePoint{};
    report.timeline = timeline_.take();
    if (plan_.strike) report.before_after.emplace(plan_.methods.size(), *plan_.strike);
    for (const std::unique_ptr<LoadWorker>& worker : workers_) {
        report.total.add(worker->tally());
        if (report.before_after) report.before_after->add(*worker->before_after());
    }
    report.elapsed = elapsed();
    report.open_loop = plan_.open_loop();
    if (!plan_.rate.empty())
        report.rate = Arrivals::mean_rate(plan_.rate, std::max<Duration>(report.elapsed, 1ns));
    if (plan_.rate.size() > 1) report.ramp = plan_.rate;
    if (!plan_.replay.empty()) report.replay_speed = plan_.speed;
    return report;
}

}  // namespace scrollgate::bench
