#include "core/net/alarm.hpp"

#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace scrollgate {

struct AsioAlarm::Impl {
    explicit Impl(boost::asio::io_context& io) : timer(io) {}
    boost::asio::steady_timer timer;
    std::function<void()> ring;
    unsigned long set_count = 0;  ///< a wait that was over before it could be cancelled is old
};

AsioAlarm::AsioAlarm(boost::asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {}

AsioAlarm::~AsioAlarm() {
    cancel();
}

void AsioAlarm::set(Duration in, std::function<void()> ring) {
    impl_->ring = std::move(ring);
    impl_->timer.expires_after(in);
    const unsigned long mine = ++impl_->set_count;
    impl_->timer.async_wait([impl = impl_, mine](boost::system::error_code error) {
        if (error || mine != impl->set_count) return;
        if (const auto call = std::exchange(impl->ring, nullptr)) call();
    });
}

void AsioAlarm::cancel() noexcept {
    ++impl_->set_count;
    impl_->ring = nullptr;
    impl_->timer.cancel();
}

}  // namespace scrollgate
