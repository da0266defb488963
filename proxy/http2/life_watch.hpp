// LifeWatch: whether a client that makes calls of gRPC and says nothing is still there.
//
// Calls may be silent for long (decision 21), so their client is asked for a sign of life instead:
// a PING (RFC 9113 section 6.7), at most one per silence of that length. Plain values, no I/O.
#pragma once

#include <cstdint>

#include "core/clock.hpp"

namespace scrollgate {

class LifeWatch {
  public:
    /// `silence` without a byte is asked about; no_limit: never.
    void call_began(TimePoint now, std::uint64_t heard, Duration silence) noexcept;
    void call_ended() noexcept;

    /// When to look(); `never` without calls.
    [[nodiscard]] TimePoint due() const noexcept { return due_; }
    enum class Next : std::uint8_t {
        wait,     ///< until due()
        ask,      ///< a PING is to be sent
        give_up,  ///< nobody has answered it
    };
    /// At due() or behind it: what is to be done. `heard` are the bytes ever received.
    [[nodiscard]] Next look(TimePoint now, std::uint64_t heard) noexcept;

  private:
    Duration silence_ = no_limit;
    TimePoint due_ = never;
    std::uint64_t heard_ = 0;  ///< at the last look
    std::uint32_t calls_ = 0;  ///< under way
    bool asked_ = false;       ///< and nothing has come since
};

}  // namespace scrollgate
