// Availability: the share of time in which something was in service, over an hour, a day and 30
// days, in bounded memory (3 KiB).
//
// By time, not by requests: it needs no traffic, and a quiet night counts as much as a busy noon.
// Time in which an operator wanted it out (drained, standby, failed) does not count at all. What is
// not known, before the start, does not count either. A value; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/clock.hpp"

namespace scrollgate {

class Availability {
  public:
    /// In [0, 1]; nothing while nothing is known.
    struct Shares {
        std::optional<double> hour, day, month;
    };

    /// It was `up` or not for `span`, which follows on what was added before. Without `counts` the
    /// time passes and nothing is known of it.
    void add(Duration span, bool up, bool counts = true) noexcept;
    [[nodiscard]] Shares shares() const noexcept;

  private:
    /// A ring of completed units of time, each in 16 bits of known and of up time.
    template <std::size_t Count, std::int64_t UnitSeconds>
    struct Ring {
        struct Slot {
            std::uint16_t up = 0, known = 0;  ///< in 50,000ths of the unit
        };
        std::array<Slot, Count> slots{};
        std::size_t next = 0;
        double up = 0, known = 0, passed = 0;  ///< of the unit under way, in seconds

        void add(double span, bool is_up, bool counts) noexcept;
        [[nodiscard]] std::optional<double> share(std::size_t last) const noexcept;
    };
    Ring<60, 60> minutes_;
    Ring<720, 3600> hours_;
};

}  // namespace scrollgate
