// Trend: how a figure went since the start, in constant memory, as a row of blocks. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace scrollgate::bench {

class Trend {
  public:
    /// What stands for several values in one place.
    enum class Keep : std::uint8_t { mean, peak };

    explicit Trend(Keep keep) : keep_(keep) {}

    /// `value` is not negative. Beyond 256 places neighbours are merged.
    void add(double value);
    /// "▁▂█": the whole run in at most `columns` (at least 1), the highest place full. Empty in the
    /// beginning.
    [[nodiscard]] std::string blocks(std::size_t columns) const;
    /// Of all places, as they are kept.
    [[nodiscard]] double highest() const noexcept;

  private:
    struct Place {
        double sum = 0, peak = 0;
        std::size_t count = 0;
    };
    [[nodiscard]] double value_of(const Place& place) const noexcept;

    const Keep keep_;
    std::size_t per_place_ = 1;
    std::vector<Place> places_;
};

/// "████▌····": `share` (0 to 1) of `width` columns, to an eighth of one.
[[nodiscard]] std::string bar(double share, std::size_t width);

}  // namespace scrollgate::bench
