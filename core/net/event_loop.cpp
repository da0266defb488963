#include "core/net/event_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/limits.hpp"

namespace scrollgate {

namespace asio = boost::asio;

struct EventLoop::Impl {
    asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    asio::steady_timer sleeper{context};
    TimePoint wakes = never;  ///< what the sleeper is set to
};

EventLoop::EventLoop(const Clock& clock, std::uint64_t seed, std::uint32_t frequency)
    : clock_(clock),
      rng_(seed),
      wheel_(frequency, clock.now()),
      small_(limits::buffer_small, limits::small_buffers, limits::small_buffers_kept),
      bulk_(limits::buffer_bulk, limits::bulk_buffers, limits::bulk_buffers_kept),
      impl_(std::make_unique<Impl>()) {}

EventLoop::~EventLoop() = default;

void EventLoop::run() {
    impl_->context.run();
}

bool EventLoop::poll() {
    impl_->context.restart();
    return impl_->context.poll() != 0;
}

void EventLoop::stop() {
    impl_->context.stop();
}

void EventLoop::post(std::function<void()> work) {
    asio::post(impl_->context, std::move(work));
}

void EventLoop::resume_later(std::coroutine_handle<> waiting) {
    asio::post(impl_->context, waiting);
}

asio::io_context& EventLoop::context() noexcept {
    return impl_->context;
}

void EventLoop::arm(TimerWheel::Timer& timer, TimePoint when) {
    wheel_.arm(timer, when);
    if (when < impl_->wakes) sleep_until_next();
}

void EventLoop::turn_timers() {
    wheel_.turn(clock_.now());
    sleep_until_next();
}

void EventLoop::sleep_until_next() {
    const TimePoint next = wheel_.next();
    if (next == impl_->wakes) return;
    impl_->wakes = next;
    if (next == never) {
        impl_->sleeper.cancel();
        return;
    }
    impl_->sleeper.expires_at(
        std::chrono::time_point_cast<std::chrono::steady_clock::duration>(next));
    impl_->sleeper.async_wait([this](boost::system::error_code error) {
        if (error) return;
        impl_->wakes = never;
        turn_timers();
    });
}

}  // namespace scrollgate
