#include "bench/view/trend.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace scrollgate::bench {
namespace {

constexpr std::size_t places_max = 256;

template <class Place>
void merge(Place& into, const Place& other) {
    into.sum += other.sum;
    into.peak = std::max(into.peak, other.peak);
    into.count += other.count;
}

}  // namespace

void Trend::add(double value) {
    if (places_.empty() || places_.back().count == per_place_) {
        if (places_.size() == places_max) {
            for (std::size_t i = 0; i < places_max / 2; ++i) {
                places_[i] = places_[2 * i];
                merge(places_[i], places_[2 * i + 1]);
            }
            places_.resize(places_max / 2);
            per_place_ *= 2;
        }
        places_.emplace_back();
    }
    merge(places_.back(), Place{value, value, 1});
}

double Trend::value_of(const Place& place) const noexcept {
    return keep_ == Keep::peak ? place.peak : place.sum / static_cast<double>(place.count);
}

double Trend::highest() const noexcept {
    double highest = 0;
    for (const Place& place : places_)
        highest = std::max(highest, value_of(place));
    return highest;
}

std::string Trend::blocks(std::size_t columns) const {
    constexpr std::string_view heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const std::size_t shown = std::min(columns, places_.size());
    std::vector<double> values;
    for (std::size_t i = 0; i < shown; ++i) {
        Place column;
        for (std::size_t k = i * places_.size() / shown; k < (i + 1) * places_.size() / shown; ++k)
            merge(column, places_[k]);
        values.push_back(value_of(column));
    }
    const double most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
    std::string text;
    for (const double value : values)
        text += heights[most > 0 ? static_cast<std::size_t>(std::lround(value / most * 7)) : 0];
    return text;
}

std::string bar(double share, std::size_t width) {
    constexpr std::string_view parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto eighths = static_cast<std::size_t>(
        std::floor(std::clamp(share, 0.0, 1.0) * static_cast<double>(8 * width)));
    std::string text;
    for (std::size_t i = 0; i < eighths / 8; ++i)
        text += "█";
    text += parts[eighths % 8];
    for (std::size_t i = (eighths + 7) / 8; i < width; ++i)
        text += "·";
    return text;
}

}  // namespace scrollgate::bench
