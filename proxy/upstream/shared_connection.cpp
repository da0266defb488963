#include "proxy/upstream/shared_connection.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate {

using Way = Connection::Way;

// ---- life

SharedConnection::SharedConnection(UpstreamPool& pool, EndpointSlot& slot, UpstreamLease connection,
                                   const http2::SessionOptions& options, Duration idle)
    : ClientSession(options),
      pool_(pool),
      slot_(&slot),
      connection_(std::move(connection)),
      carrier_(*connection_, *this),
      idle_most_(idle),
      over_tls_(connection_->target() != nullptr) {
    slot.shared.push_back(this);
}

SharedConnection::~SharedConnection() = default;

Task<void> SharedConnection::run() {
    co_await carrier_.carry();
    disarm();
    leave_idle();
    if (slot_ != nullptr) std::erase(slot_->shared, this);
    slot_ = nullptr;
    connection_.reset();
    over_ = true;
    if (seats_ == 0) delete this;
}

void SharedConnection::settings_came() noexcept {
    pool_.arrived(*connection_);
    if (slot_ != nullptr) slot_->wake_all();
}

// ---- seats

std::uint32_t SharedConnection::most() const noexcept {
    return settled() ? std::min(peer_streams(), limits::http2_streams) : 1;
}

bool SharedConnection::takes() const noexcept {
    if (retired_ || slot_ == nullptr || going_away() || seats_ >= most()) return false;
    return !owes_ || heard() != heard_;
}

bool SharedConnection::fits(const Endpoint& endpoint) const noexcept {
    return connection_->target() == endpoint.tls && connection_->protocol() == endpoint.protocol;
}

void SharedConnection::take_seat() {
    ++served_;
    if (seats_++ > 0) return;
    leave_idle();
    heard_ = heard();
    pings_ = 0;
    owes_ = false;
    look_at(loop_of().now() + limits::http2_silence);
}

void SharedConnection::leave_seat() noexcept {
    --seats_;
    if (over_) {
        if (seats_ == 0) delete this;
        return;
    }
    if (slot_ != nullptr) slot_->wake_one();
    if (going_away()) wake();  // the last stream may have been the last thing to happen
    if (seats_ > 0 || slot_ == nullptr) return;
    if (retired_ || slot_->retired || idle_most_ <= Duration::zero()) return end_soon();
    idle_ = true;
    idle_since_ = loop_of().now();
    pool_.idle_shared(+1);
    look_at(std::min(after(idle_since_, idle_most_), idle_since_ + limits::buffer_return));
}

void SharedConnection::leave_idle() noexcept {
    if (std::exchange(idle_, false)) pool_.idle_shared(-1);
}

// ---- time

void SharedConnection::look_at(TimePoint when) {
    if (armed() && look_ <= when) return;  // it looks earlier, and then again
    look_ = when;
    loop_of().arm(*this, when);
}

void SharedConnection::expired() noexcept {
    look_ = never;
    if (slot_ == nullptr) return;
    if (!idle_) return look_for_life();
    const TimePoint until = after(idle_since_, idle_most_);
    if (loop_of().now() >= until) return end_soon();
    connection_->park();
    look_at(until);
}

// Somebody waits. The answer to a PING alone is no news of the streams, so the silence lasts. It
// says nothing of those that were opened since, either: for these there is another one.
void SharedConnection::look_for_life() {
    constexpr std::uint64_t ping_frame = 17;  // RFC 9113 section 6.7
    const TimePoint now = loop_of().now();
    const std::uint64_t came = heard() - heard_;
    if (owes_ && came == 0) return connection_->fail(ErrorKind::upstream_reset);
    const bool answered = owes_ && came <= ping_frame;
    owes_ = false;
    heard_ = heard();
    if (came > 0 && !answered) pings_ = 0;
    const bool more = served_ != pinged_served_ && pings_ < limits::http2_pings;
    const Duration again = more ? limits::http2_ping_again : limits::http2_silence_again;
    const bool lately = pings_ > 0 && now - pinged_at_ < again;
    if (came > 0 || lately) return look_at(now + limits::http2_silence);
    ++pings_;
    owes_ = true;
    pinged_at_ = now;
    pinged_served_ = served_;
    ping();
    wake();
    look_at(now + limits::http2_ping_wait);
}

// ---- the end

void SharedConnection::retire() noexcept {
    retired_ = true;
    if (idle_) end_soon();
}

void SharedConnection::end_soon() noexcept {
    leave_idle();
    retired_ = true;
    end();
    wake();
    connection_->expire_at(Way::read, loop_of().now() + limits::linger, ErrorKind::cancelled);
}

void SharedConnection::close_idle() noexcept {
    leave_idle();
    retired_ = true;
    pool_.close(*connection_);
}

// ---- SharedSeat

void SharedSeat::reset() noexcept {
    wait_ = nullptr;
    if (connection_ != nullptr) std::exchange(connection_, nullptr)->leave_seat();
    if (slot_ != nullptr) {
        --slot_->joining;
        pool_->sweep(*std::exchange(slot_, nullptr));
    }
}

Task<void> SharedSeat::wait(TimedGate& gate) {
    EndpointSlot* const slot = connection_ != nullptr ? connection_->slot_ : slot_;
    UpstreamPool& pool = connection_ != nullptr ? connection_->pool_ : *pool_;
    if (slot == nullptr) co_return;
    const bool seated = connection_ != nullptr;
    if (seated) ++slot->joining;  // so that it stays; a place among those that wait counts already
    slot->waiting.push_back(&gate);
    co_await gate.passed();
    std::erase(slot->waiting, &gate);
    if (!seated) co_return;
    --slot->joining;
    pool.sweep(*slot);
}

}  // namespace scrollgate
