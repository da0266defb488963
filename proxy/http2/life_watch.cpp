#include "proxy/http2/life_watch.hpp"

#include "core/limits.hpp"

namespace scrollgate {

void LifeWatch::call_began(TimePoint now, std::uint64_t heard, Duration silence) noexcept {
    if (calls_++ > 0) return;
    silence_ = silence;
    heard_ = heard;
    asked_ = false;
    due_ = after(now, silence_);
}

void LifeWatch::call_ended() noexcept {
    if (--calls_ == 0) due_ = never;
}

LifeWatch::Next LifeWatch::look(TimePoint now, std::uint64_t heard) noexcept {
    const bool came = heard != heard_;
    heard_ = heard;
    if (!came && asked_) return Next::give_up;
    asked_ = !came;
    due_ = after(now, came ? silence_ : Duration(limits::http2_client_ping_wait));
    return asked_ ? Next::ask : Next::wait;
}

}  // namespace scrollgate
