#include "cache/store/ghost.hpp"

#include <algorithm>
#include <utility>

namespace scrollgate {
namespace {

constexpr unsigned bits_each = 12;
constexpr unsigned probes = 4;
constexpr std::uint32_t least = 32;

/// Calls `use(word, bit)` for the places of a tag in a filter of `words` words.
template <class Use>
bool all_places(std::uint32_t tag, std::size_t words, Use&& use) noexcept {
    // splitmix64's last steps: tags differ in few bits.
    std::uint64_t mixed = (tag + 1) * 0x9e3779b97f4a7c15ULL;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    auto at = static_cast<std::uint32_t>(mixed);
    const auto step = static_cast<std::uint32_t>(mixed >> 32) | 1U;
    for (unsigned i = 0; i < probes; ++i, at += step) {
        const std::uint64_t bit = (std::uint64_t{at} * (words * 64)) >> 32;
        if (!use(bit / 64, std::uint64_t{1} << (bit % 64))) return false;
    }
    return true;
}

}  // namespace

void Ghost::Filter::set(std::uint32_t tag) noexcept {
    all_places(tag, words.size(), [this](std::uint64_t word, std::uint64_t bit) {
        words[word] |= bit;
        return true;
    });
}

bool Ghost::Filter::has(std::uint32_t tag) const noexcept {
    return !words.empty() &&
           all_places(tag, words.size(), [this](std::uint64_t word, std::uint64_t bit) {
               return (words[word] & bit) != 0;
           });
}

void Ghost::add(std::uint32_t tag, std::uint32_t window) {
    if (now_.room == 0) {
        std::swap(now_, before_);
        now_.room = std::max(window / 2, least);
        now_.words.assign(now_.room * bits_each / 64, 0);
        now_.words.shrink_to_fit();
    }
    now_.set(tag);
    --now_.room;
}

bool Ghost::contains(std::uint32_t tag) const noexcept {
    return now_.has(tag) || before_.has(tag);
}

std::size_t Ghost::bytes() const noexcept {
    return (now_.words.capacity() + before_.words.capacity()) * sizeof(std::uint64_t);
}

std::size_t Ghost::most_for(std::uint32_t window) noexcept {
    return 2 * std::size_t{std::max(window / 2, least)} * bits_each / 8;
}

void Ghost::reset() noexcept {
    now_ = before_ = {};
}

}  // namespace scrollgate
