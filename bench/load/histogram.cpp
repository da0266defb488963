#include "bench/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

namespace scrollgate::bench {
namespace {

/// Bits that tell 2 x 10^digits values apart.
unsigned bits_for(unsigned digits) {
    assert(digits >= 1 && digits <= 4);
    std::uint64_t values = 2;
    for (unsigned i = 0; i < digits; ++i)
        values *= 10;
    return static_cast<unsigned>(std::bit_width(values - 1));
}

template <class Count, class Other>
void add_to(Count& count, Other more) noexcept {
    const std::uint64_t room = std::numeric_limits<Count>::max() - count;
    count = static_cast<Count>(count + std::min<std::uint64_t>(more, room));
}

}  // namespace

template <class Count>
BasicHistogram<Count>::BasicHistogram(unsigned digits) : bits_(bits_for(digits)) {
    buckets_.resize(index_of(static_cast<std::uint64_t>(highest.count())) + 1);
}

// The first 2^bits values are their own index. Each further row is one binary magnitude: the top
// bit is known, the bits_ - 1 bits below it choose the bucket.
template <class Count>
std::size_t BasicHistogram<Count>::index_of(std::uint64_t value) const noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= bits_) return static_cast<std::size_t>(value);
    const unsigned shift = width - bits_;
    return (static_cast<std::size_t>(shift) << (bits_ - 1)) +
           static_cast<std::size_t>(value >> shift);
}

template <class Count>
std::uint64_t BasicHistogram<Count>::last_value_of(std::size_t index) const noexcept {
    const std::size_t half = std::size_t{1} << (bits_ - 1);
    if (index < 2 * half) return index;
    const std::size_t shift = index / half - 1;
    const std::uint64_t top = index - shift * half;
    return ((top + 1) << shift) - 1;
}

template <class Count>
void BasicHistogram<Count>::record(Duration value) noexcept {
    value = std::clamp(value, Duration::zero(), highest);
    add_to(buckets_[index_of(static_cast<std::uint64_t>(value.count()))], 1U);
    ++count_;
    sum_ += static_cast<double>(value.count());
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
}

template <class Count>
template <class Other>
void BasicHistogram<Count>::add(const BasicHistogram<Other>& other) noexcept {
    assert(bits_ == other.bits_);
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        add_to(buckets_[i], other.buckets_[i]);
    count_ += other.count_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

template <class Count>
void BasicHistogram<Count>::clear() noexcept {
    std::fill(buckets_.begin(), buckets_.end(), 0);
    count_ = 0;
    sum_ = 0;
    min_ = Duration::max();
    max_ = Duration::zero();
}

template <class Count>
Duration BasicHistogram<Count>::min() const noexcept {
    return count_ == 0 ? Duration::zero() : min_;
}

template <class Count>
Duration BasicHistogram<Count>::mean() const noexcept {
    if (count_ == 0) return Duration::zero();
    return Duration(static_cast<std::int64_t>(sum_ / static_cast<double>(count_)));
}

template <class Count>
Duration BasicHistogram<Count>::at(double quantile) const noexcept {
    if (count_ == 0) return Duration::zero();
    const double wanted = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_));
    const std::uint64_t rank =
        std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= rank) {
            const Duration value(static_cast<std::int64_t>(last_value_of(i)));
            return std::clamp(value, min_, max_);
        }
    }
    return max_;
}

template class BasicHistogram<std::uint64_t>;
template class BasicHistogram<std::uint32_t>;
template void Histogram::add(const Histogram&) noexcept;
template void Histogram::add(const SliceHistogram&) noexcept;
template void SliceHistogram::add(const SliceHistogram&) noexcept;

}  // namespace scrollgate::bench
