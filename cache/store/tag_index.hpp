// TagIndex: which slots of a shard carry a tag, so that a purge by tag touches no others.
//
// An entry knows its place in the list of each of its tags, so it leaves them without a search.
// Under the shard's lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/store/slots.hpp"

namespace scrollgate {

/// So that maps of strings are searched with views.
struct TextHash {
    using is_transparent = void;
    [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept;
};

class TagIndex {
  public:
    explicit TagIndex(Slots& slots) noexcept : slots_(slots) {}

    void add(std::uint32_t slot);
    void remove(std::uint32_t slot) noexcept;
    /// How many slots carry it, and the one at `position` of them. remove() of one moves the last
    /// one to its position.
    [[nodiscard]] std::size_t count(std::string_view tag) const noexcept;
    [[nodiscard]] std::uint32_t at(std::string_view tag, std::size_t position) const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    /// Gives back the table's memory; no slot has a tag.
    void reset() noexcept { lists_ = {}; }
    /// At most what add() of an entry with these tags adds to bytes().
    [[nodiscard]] static std::size_t most_for(const CacheEntry& entry) noexcept;

  private:
    struct Place {
        std::uint32_t slot;
        std::uint32_t which;  // of the entry's tags
    };
    struct List {
        std::vector<Place> places;
        std::string_view tag;  // the map's key

        // That it doubles is charged place by place before.
        [[nodiscard]] std::size_t bytes() const noexcept {
            return std::max(2 * places.size(), places.capacity()) * sizeof(Place);
        }
    };
    using Lists = std::unordered_map<std::string, List, TextHash, std::equal_to<>>;

    static std::size_t node_bytes(std::string_view tag) noexcept;

    Slots& slots_;
    Lists lists_;
    std::size_t bytes_ = 0;
};

}  // namespace scrollgate
