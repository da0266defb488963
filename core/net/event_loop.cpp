#include "core/net/event_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

int must(int descriptor, const char* what) {
    if (descriptor < 0) throw std::system_error(errno, std::system_category(), what);
    return descriptor;
}

}  // namespace

EventLoop::EventLoop(const Clock& clock, std::uint64_t seed, std::uint32_t frequency)
    : clock_(clock),
      rng_(seed),
      wheel_(frequency, clock.now()),
      small_(limits::buffer_small, limits::small_buffers, limits::small_buffers_kept),
      bulk_(limits::buffer_bulk, limits::bulk_buffers, limits::bulk_buffers_kept),
      spare_(limits::buffer_spare, limits::spare_buffers, limits::spare_buffers_kept),
      blocks_(limits::cache_block, limits::block_buffers, limits::block_buffers_kept),
      pipes_(limits::pipes, limits::pipes_kept),
      epoll_(must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      bell_(must(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;  // the bell
    must(::epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &event), "epoll_ctl");
}

EventLoop::~EventLoop() {
    ::close(bell_);
    ::close(epoll_);
}

// ---- turns

void EventLoop::run() {
    while (!stopped_.load(std::memory_order_acquire)) {
        turn(sleep_ms());
        if (wakes_ != never && clock_.now() >= wakes_) turn_timers();
    }
}

bool EventLoop::poll() {
    return turn(0);
}

bool EventLoop::turn(int timeout_ms) {
    const int count =
        ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
    event_count_ = std::max(count, 0);
    const bool ran = event_count_ > 0 || !steps_.empty();
    for (event_ = 0; event_ < event_count_;) {
        const epoll_event& event = events_[static_cast<std::size_t>(event_++)];
        if (event.events == 0) continue;  // forgotten
        if (event.data.ptr == nullptr) {
            run_posted();
        } else {
            static_cast<ReadinessHandler*>(event.data.ptr)->ready(event.events);
        }
    }
    run_steps();
    return ran;
}

// Those that are put off meanwhile wait for the next turn.
void EventLoop::run_steps() {
    if (steps_.empty()) return;
    steps_running_.swap(steps_);
    for (const Step& step : steps_running_) {
        if (step.handler != nullptr) {
            step.handler->done(step.result);
        } else {
            step.waiting.resume();
        }
    }
    steps_running_.clear();
}

int EventLoop::sleep_ms() const noexcept {
    if (!steps_.empty()) return 0;
    if (wakes_ == never) return -1;
    const Duration left = wakes_ - clock_.now();
    if (left <= Duration::zero()) return 0;
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::min<std::int64_t>(ms, INT_MAX));
}

// ---- from other threads

void EventLoop::stop() noexcept {
    stopped_.store(true, std::memory_order_release);
    ::eventfd_write(bell_, 1);
}

void EventLoop::post(std::function<void()> work) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = posted_.empty();
        posted_.push_back(std::move(work));
    }
    if (first) ::eventfd_write(bell_, 1);
}

void EventLoop::run_posted() {
    std::vector<std::function<void()>> taken;
    {
        const std::lock_guard lock(mutex_);
        taken.swap(posted_);
    }
    for (const std::function<void()>& work : taken)
        work();
}

// ---- descriptors

boost::system::error_code EventLoop::watch(int descriptor, std::uint32_t events,
                                           ReadinessHandler& handler) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &handler;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
    return {errno, boost::system::system_category()};
}

void EventLoop::unwatch(int descriptor, ReadinessHandler& handler) noexcept {
    epoll_event event{};
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &event);
    forget(handler);
}

void EventLoop::forget(ReadinessHandler& handler) noexcept {
    for (int i = event_; i < event_count_; ++i) {
        epoll_event& event = events_[static_cast<std::size_t>(i)];
        if (event.data.ptr == &handler) event.events = 0;
    }
}

// ---- later steps

void EventLoop::complete_later(IoHandler& handler, const IoResult& result) {
    steps_.push_back({{}, &handler, result});
}

void EventLoop::resume_later(std::coroutine_handle<> waiting) {
    steps_.push_back({waiting, nullptr, {}});
}

// ---- timers

BufferLease EventLoop::shared_buffer(bool large_wanted) noexcept {
    BufferLease buffer = large_wanted ? bulk_.lease() : BufferLease();
    if (!buffer) buffer = small_.lease();
    if (!buffer) buffer = spare_.lease();
    return buffer;
}

void EventLoop::arm(TimerWheel::Timer& timer, TimePoint when) noexcept {
    wheel_.arm(timer, when);
    wakes_ = std::min(wakes_, wheel_.next());
}

void EventLoop::turn_timers() noexcept {
    wheel_.turn(clock_.now());
    wakes_ = wheel_.next();
}

}  // namespace scrollgate
