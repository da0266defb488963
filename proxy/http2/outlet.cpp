#include "proxy/http2/outlet.hpp"

#include <algorithm>

namespace scrollgate {

void Http2Outlet::start(Duration stall, ErrorKind stalled) noexcept {
    stall_ = stall;
    stalled_ = stalled;
    until_ = never;
    given_ = 0;
    ended_ = false;
}

void Http2Outlet::reset() noexcept {
    chunk_ = {};
    put_ = 0;
    all_taken_ = false;
    failure_.reset();
    gate_.reset();
}

void Http2Outlet::bound(Duration stall, TimePoint until) noexcept {
    stall_ = stall;
    until_ = until;
}

http2::BodyPart Http2Outlet::fill(std::span<char> into) noexcept {
    const std::size_t part = chunk_.data.copy(into.data(), into.size());
    chunk_.data.remove_prefix(part);
    given_ += part;
    if (!chunk_.data.empty()) return {part, false, nullptr};
    all_taken_ = true;
    ended_ = chunk_.end;
    gate_.open();
    return {part, chunk_.end, chunk_.trailers};
}

void Http2Outlet::failed(const Error& why) noexcept {
    if (!failure_) failure_ = why;
    gate_.open();
}

Task<Result<void>> Http2Outlet::taken() {
    gate_.reset();
    for (;;) {
        const std::uint64_t before = given_;
        const TimePoint stall = after(loop_.now(), stall_);
        const TimePoint first = std::min(stall, until_);
        if (first != never) gate_.limit(first);
        const TimedGate::State passed = co_await gate_.passed();
        if (failure_) co_return *failure_;
        // The last of it may go between the gate's time and this step: nothing would open it again.
        if (all_taken_ || passed != TimedGate::State::timed_out) {
            put_ = 0;
            co_return Result<void>();
        }
        if (loop_.now() >= until_) co_return Error{ErrorKind::request_timeout};
        if (given_ == before) co_return Error{stalled_};
        gate_.reset();
    }
}

}  // namespace scrollgate
