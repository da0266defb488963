// FloodWatch: what a peer may send that costs us work and brings nothing (RFC 9113 section 10.5).
//
// Walks over the frames' heads before anybody reads the frames, so that nothing that nghttp2 keeps
// to itself goes uncounted, and what it forgives (frames on streams that the peer has ended,
// numbers that go back) is seen. Frames that carry nothing (SETTINGS, PING, PRIORITY,
// WINDOW_UPDATE, empty DATA, CONTINUATION, unknown ones) and streams that are broken off draw from
// two buckets that fill with time; frames that carry something earn some, because a busy peer
// updates windows and priorities. A stream that is broken off when its answer has begun draws
// little: calls of gRPC and downloads end so, at the pace of answers. Bounds: limits.hpp. One
// worker; no locks; no allocation.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate::http2 {

enum class Flood : std::uint8_t {
    none,
    continuation,  ///< CONTINUATION, large or empty: too many in one section, or in all
    empty_data,
    settings,
    ping,
    priority,  ///< PRIORITY, PRIORITY_UPDATE
    window,    ///< WINDOW_UPDATE
    unknown,   ///< frames of other types
    reset,     ///< rapid reset: the client breaks off what it has just begun
    provoked,  ///< MadeYouReset: what the client does has us break it off
    // no floods, but ends of the connection all the same
    stream_closed,  ///< a frame on a stream that the peer had ended (section 5.1)
    stream_number,  ///< one that cannot be: goes back, or 0 where a stream is meant (5.1.1)
    frame_size,     ///< a CONTINUATION frame beyond what we take (4.2); nghttp2 sees the others
};
inline constexpr std::size_t floods = static_cast<std::size_t>(Flood::provoked) + 1;

/// What we reset a stream for.
enum class ResetFor : std::uint8_t {
    fault,         ///< what the peer did on it
    one_too_many,  ///< of which a peer that has not heard of our limit yet may open some
};

/// Of a flood: a token of metrics and log: "rapid_reset". Never empty.
[[nodiscard]] std::string_view flood_name(Flood flood) noexcept;

class FloodWatch {
  public:
    /// What its session knows of streams.
    class Streams {
      public:
        /// Stream `id` was opened by bytes before these, and its answer has begun, or it is over.
        [[nodiscard]] virtual bool answered(std::int32_t id) const noexcept = 0;

      protected:
        ~Streams() = default;
    };
    /// `streams` outlives it.
    FloodWatch(const Streams& streams, TimePoint now) noexcept : streams_(streams), filled_(now) {}

    /// Goes over the next bytes of the peer, which begin with its preface. The flood that they are,
    /// if any; then nothing of them should be read.
    [[nodiscard]] Flood look(std::string_view bytes, TimePoint now) noexcept;
    /// We had to reset a stream.
    [[nodiscard]] Flood had_to_reset(ResetFor what) noexcept;
    /// We have sent a DATA frame, for which the peer may update windows.
    void earn() noexcept;
    /// A field section has begun and has not ended.
    [[nodiscard]] bool in_section() const noexcept { return in_section_; }

  private:
    static constexpr std::size_t head_size = 9;
    static constexpr std::size_t preface_size = 24;
    static constexpr std::size_t remembered = 256;
    static constexpr std::size_t frame_size = 16384;  ///< SETTINGS_MAX_FRAME_SIZE of who is silent

    void fill(TimePoint now) noexcept;
    [[nodiscard]] Flood judge() noexcept;
    [[nodiscard]] Flood draw(Flood flood) noexcept;
    [[nodiscard]] Flood draw_reset(double cost, Flood flood) noexcept;
    [[nodiscard]] std::uint32_t stream_number() const noexcept;
    [[nodiscard]] Flood follow_stream(bool head, bool ends) noexcept;

    const Streams& streams_;
    std::array<std::uint8_t, head_size> head_{};
    std::uint8_t have_ = 0;            ///< bytes of head_
    std::size_t skip_ = preface_size;  ///< payload that is still to come
    bool pads_ = false;                ///< its first byte counts the last ones, which are padding
    double noise_ = limits::http2_noise, resets_ = limits::http2_resets;
    TimePoint filled_;
    std::uint32_t newest_ = 0;               ///< number of the stream that was opened last
    std::bitset<remembered> opened_, gone_;  ///< of newest_, the number two below it, …; that the
                                             ///< peer opened; and ended or broke off
    unsigned continuations_ = 0;             ///< of the present section
    bool in_section_ = false;
};

}  // namespace scrollgate::http2
