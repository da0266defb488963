#include "proxy/pipeline/silence_watch.hpp"

#include "proxy/server/worker.hpp"

namespace scrollgate {

SilenceWatch::SilenceWatch(Exchange& x, Duration limit, ErrorKind why) noexcept
    : x_(x), limit_(limit), why_(why) {
    arm();
}

void SilenceWatch::arm() noexcept {
    EventLoop& loop = x_.worker.loop();
    if (limit_ != no_limit) loop.arm(*this, loop.now() + limit_ / 4);
}

void SilenceWatch::expired() noexcept {
    const std::uint64_t moved = x_.record.bytes_in + x_.record.bytes_out;
    quiet_ = moved == seen_ ? quiet_ + 1 : 0;
    seen_ = moved;
    if (quiet_ < 4) return arm();
    x_.body->interrupt();
    x_.cancel(why_);
}

}  // namespace scrollgate
