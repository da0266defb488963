#include "bench/load/load_worker.hpp"

#include <algorithm>
#include <system_error>

#include <sys/timerfd.h>
#include <unistd.h>

namespace scrollgate::bench {
namespace {

constexpr std::uint32_t wheel_frequency = 1'000;

/// Whether time alone ends the run: an open loop without a last request.
bool lasts_to_its_end(const Plan& plan) noexcept {
    return !plan.rate.empty() && !plan.requests;
}

}  // namespace

// ---- shared by workers

std::uint8_t Groups::number_of(std::string_view value) {
    const std::lock_guard lock(mutex_);
    const auto known = std::find(names_.begin(), names_.end(), value);
    if (known != names_.end()) return static_cast<std::uint8_t>(known - names_.begin());
    if (names_.size() + 1 < groups_max) {
        names_.emplace_back(value);
    } else if (names_.size() < groups_max) {
        names_.emplace_back("(others)");
    }
    return static_cast<std::uint8_t>(names_.size() - 1);
}

std::vector<std::string> Groups::names() const {
    const std::lock_guard lock(mutex_);
    return names_;
}

// ---- the alarm

class LoadWorker::Alarm final : private ReadinessHandler {
  public:
    explicit Alarm(LoadWorker& worker)
        : worker_(worker), fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
        if (fd_ < 0 || worker.loop_.watch(fd_, EPOLLIN | EPOLLET, *this))
            throw std::system_error(errno, std::system_category(), "timerfd");
    }
    ~Alarm() { ::close(fd_); }

    void set(TimePoint when) noexcept {
        if (when == when_) return;
        when_ = when;
        // Zero would disarm it.
        const auto ns = std::max<Duration::rep>(1, when.time_since_epoch().count());
        itimerspec spec{};
        spec.it_value = {ns / 1'000'000'000, ns % 1'000'000'000};
        ::timerfd_settime(fd_, TFD_TIMER_ABSTIME, &spec, nullptr);
    }

  private:
    void ready(std::uint32_t) noexcept override {
        when_ = {};
        worker_.pace();
    }

    LoadWorker& worker_;
    const int fd_;
    TimePoint when_{};
};

// ---- the worker

LoadWorker::LoadWorker(const Plan& plan, unsigned index, SharedTimeline& timeline, Groups& groups)
    : plan_(plan),
      index_(index),
      timeline_(timeline),
      groups_(groups),
      loop_(system_clock(), random_seed(), wheel_frequency),
      alarm_(std::make_unique<Alarm>(*this)),
      tally_(plan.methods.size()) {
    if (plan.strike) before_after_.emplace(plan.methods.size(), *plan.strike);
}

LoadWorker::~LoadWorker() = default;

void LoadWorker::run(TimePoint start, TimePoint end, const MakeClient& make, unsigned runners) {
    start_ = start;
    end_ = end;
    last_sending_ = plan_.open_loop() && end != never ? after(end, plan_.timeout) : end;
    jobs_.emplace(plan_, index_, start, end, loop_.rng());
    const unsigned count =
        plan_.connections / plan_.workers + (index_ < plan_.connections % plan_.workers ? 1 : 0);
    running_ = count * runners;
    loop_.arm(flusher_, start + timeline_.width());
    for (unsigned i = 0; i < count; ++i)
        clients_.push_back(make(*this));
    for (const std::unique_ptr<LoadClient>& client : clients_)
        client->start();
    if (running_ > 0) loop_.run();
    clients_.clear();
    timeline_.add(slice_);
    if (stopping_) return;
    tally_.unsent += jobs_->drop_rest();
    if (lasts_to_its_end(plan_)) waited_until_ = end_;
}

void LoadWorker::stop() {
    loop_.post([this] {
        stopping_ = true;
        jobs_->stop();
        pace();
        for (const std::unique_ptr<LoadClient>& client : clients_)
            client->abort();
    });
}

void LoadWorker::client_ended() {
    if (--running_ == 0) loop_.stop();
}

// ---- jobs

bool LoadWorker::take(NextJob& asker) {
    const TimePoint now = loop_.now();
    if (asker.free_since_ == TimePoint{}) asker.free_since_ = now;
    const TimePoint due = jobs_->due();
    if (due == never) return !may_become_due(now);
    // What was due in time, with a connection to spare, leaves even if the loop is a little late.
    if (now >= last_sending_ && asker.free_since_ > due) return true;
    if (due > now) return false;
    asker.job_ = jobs_->take(now);
    if (plan_.open_loop()) tally_.lag.record(now - std::max(due, asker.free_since_));
    return true;
}

/// A steady load is there to its end, whether or not a request is due again by then: whatever a
/// drill does late in a run happens within it.
bool LoadWorker::may_become_due(TimePoint now) const noexcept {
    return lasts_to_its_end(plan_) && !stopping_ && now < end_;
}

void LoadWorker::NextJob::await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    worker_.idle_.push_back(this);
    worker_.alarm_->set(std::min(worker_.jobs_->due(), worker_.end_));
}

// Whoever waits gets what is due; when nothing will be due any more, everybody goes home.
void LoadWorker::pace() {
    while (!idle_.empty()) {
        NextJob& asker = *idle_.back();
        if (!take(asker)) {
            alarm_->set(std::min(jobs_->due(), end_));
            return;
        }
        idle_.pop_back();
        asker.waiting_.resume();
    }
}

// ---- counting

void LoadWorker::finished(const Sample& sample) {
    if (stopping_) return;
    enter_slice(sample.done);
    slice_.count(sample);
    tally_.count(sample);
    if (before_after_) before_after_->count(sample.done - start_, sample);
    last_done_ = std::max(last_done_, sample.done);
}

void LoadWorker::enter_slice(TimePoint when) {
    const auto index = static_cast<std::uint64_t>((when - start_) / timeline_.width());
    if (index == slice_.index) return;
    timeline_.add(slice_);
    slice_.clear();
    slice_.index = index;
}

void LoadWorker::flush() {
    const TimePoint now = loop_.now();
    enter_slice(now);
    loop_.arm(flusher_, now + timeline_.width());
}

std::uint8_t LoadWorker::group_of(std::string_view value) {
    for (const auto& [name, number] : known_groups_) {
        if (name == value) return number;
    }
    const std::uint8_t number = groups_.number_of(value);
    if (known_groups_.size() < groups_max) known_groups_.emplace_back(value, number);
    return number;
}

}  // namespace scrollgate::bench
