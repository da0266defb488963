#include "core/http2/flood_watch.hpp"

#include <algorithm>
#include <utility>

#include <nghttp2/nghttp2.h>

namespace scrollgate::http2 {
namespace {

constexpr std::array<std::string_view, floods> names{
    "none",     "continuation", "empty_data", "settings",    "ping",
    "priority", "window",       "unknown",    "rapid_reset", "made_you_reset",
};

}  // namespace

std::string_view flood_name(Flood flood) noexcept {
    return names[static_cast<std::size_t>(flood)];
}

Flood FloodWatch::look(std::string_view bytes, TimePoint now) noexcept {
    fill(now);
    while (!bytes.empty()) {
        if (skip_ > 0) {
            if (std::exchange(pads_, false) && static_cast<unsigned char>(bytes[0]) + 1U >= skip_) {
                const Flood flood = draw(Flood::empty_data);
                if (flood != Flood::none) return flood;
            }
            const std::size_t part = std::min(skip_, bytes.size());
            skip_ -= part;
            bytes.remove_prefix(part);
            continue;
        }
        const std::size_t part = std::min(head_size - have_, bytes.size());
        bytes.copy(reinterpret_cast<char*>(head_.data()) + have_, part);
        have_ = static_cast<std::uint8_t>(have_ + part);
        bytes.remove_prefix(part);
        if (have_ < head_size) break;
        have_ = 0;
        skip_ = static_cast<std::size_t>(head_[0]) << 16 | static_cast<std::size_t>(head_[1]) << 8 |
                head_[2];
        const Flood flood = judge();
        if (flood != Flood::none) return flood;
    }
    return Flood::none;
}

void FloodWatch::fill(TimePoint now) noexcept {
    const double seconds = seconds_of(now - filled_);
    filled_ = now;
    noise_ = std::min(limits::http2_noise, noise_ + seconds * limits::http2_noise_rate);
    resets_ = std::min(limits::http2_resets, resets_ + seconds * limits::http2_reset_rate);
}

// The head of the frame that comes next.
Flood FloodWatch::judge() noexcept {
    const std::uint8_t type = head_[3], flags = head_[4];
    const bool ends = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (type) {
        case NGHTTP2_DATA:
            if (const Flood wrong = follow_stream(false, ends); wrong != Flood::none) return wrong;
            if (skip_ == 0 && !ends) return draw(Flood::empty_data);
            pads_ = (flags & NGHTTP2_FLAG_PADDED) != 0 && !ends;
            return Flood::none;
        case NGHTTP2_HEADERS:
            if (const Flood wrong = follow_stream(true, ends); wrong != Flood::none) return wrong;
            earn();
            continuations_ = 0;
            in_section_ = (flags & NGHTTP2_FLAG_END_HEADERS) == 0;
            return Flood::none;
        case NGHTTP2_CONTINUATION:
            if (skip_ > frame_size) return Flood::frame_size;
            in_section_ = (flags & NGHTTP2_FLAG_END_HEADERS) == 0;
            if (++continuations_ > limits::http2_continuations) return Flood::continuation;
            return draw(Flood::continuation);
        case NGHTTP2_RST_STREAM:
            static_cast<void>(follow_stream(false, true));  // broken off twice is no harm
            return draw_reset(streams_.answered(static_cast<std::int32_t>(stream_number()))
                                  ? limits::http2_late_reset
                                  : 1,
                              Flood::reset);
        case NGHTTP2_SETTINGS:
            return draw(Flood::settings);
        case NGHTTP2_PING:
            return draw(Flood::ping);
        case NGHTTP2_PRIORITY:
            if (stream_number() == 0) return Flood::stream_number;
            return draw(Flood::priority);
        case NGHTTP2_PRIORITY_UPDATE:
            return draw(Flood::priority);
        case NGHTTP2_WINDOW_UPDATE:
            return draw(Flood::window);
        default:
            return draw(Flood::unknown);
    }
}

// The frame that comes next is one of a stream's, and the last of the peer's if it `ends`.
Flood FloodWatch::follow_stream(bool head, bool ends) noexcept {
    const std::uint32_t stream = stream_number();
    if (stream % 2 == 0 || (!head && stream > newest_)) return Flood::none;  // nghttp2 will say it
    if (stream > newest_) {
        const std::size_t step = (stream - newest_) / 2;
        opened_ = newest_ == 0 || step >= remembered ? std::bitset<remembered>() : opened_ << step;
        gone_ = newest_ == 0 || step >= remembered ? std::bitset<remembered>() : gone_ << step;
        newest_ = stream;
        opened_.set(0);
    }
    const std::size_t back = (newest_ - stream) / 2;
    if (back >= remembered) return Flood::none;
    if (!opened_[back]) return Flood::stream_number;
    if (gone_[back]) return Flood::stream_closed;
    gone_[back] = ends;
    return Flood::none;
}

std::uint32_t FloodWatch::stream_number() const noexcept {
    return static_cast<std::uint32_t>(head_[5] & 0x7f) << 24 |
           static_cast<std::uint32_t>(head_[6]) << 16 | static_cast<std::uint32_t>(head_[7]) << 8 |
           head_[8];
}

Flood FloodWatch::draw(Flood flood) noexcept {
    if (noise_ < 1) return flood;
    noise_ -= 1;
    return Flood::none;
}

Flood FloodWatch::draw_reset(double cost, Flood flood) noexcept {
    if (resets_ < cost) return flood;
    resets_ -= cost;
    return Flood::none;
}

Flood FloodWatch::had_to_reset(ResetFor what) noexcept {
    return draw_reset(what == ResetFor::one_too_many ? limits::http2_refused : 1, Flood::provoked);
}

void FloodWatch::earn() noexcept {
    noise_ = std::min(limits::http2_noise, noise_ + limits::http2_noise_earned);
}

}  // namespace scrollgate::http2
