#include "cache/store/tag_index.hpp"

#include "cache/key.hpp"

namespace scrollgate {

std::size_t TextHash::operator()(std::string_view text) const noexcept {
    return cache_hash(text);
}

// A map's node with its hash and link, its share of the table, the text if it is long, and what
// the heap needs for them.
std::size_t TagIndex::node_bytes(std::string_view tag) noexcept {
    return sizeof(Lists::value_type) + 6 * sizeof(void*) + (tag.size() > 15 ? tag.size() + 32 : 0);
}

std::size_t TagIndex::most_for(const CacheEntry& entry) noexcept {
    std::size_t bytes = 0;
    entry.each_tag([&](std::string_view tag, std::size_t) { bytes += node_bytes(tag) + 64; });
    return bytes;
}

void TagIndex::add(std::uint32_t slot) {
    const CacheEntry& entry = *slots_[slot].entry;
    entry.each_tag([&](std::string_view tag, std::size_t i) {
        auto found = lists_.find(tag);
        if (found == lists_.end()) {
            found = lists_.emplace(std::string(tag), List{}).first;
            found->second.tag = found->first;
            bytes_ += node_bytes(tag);
        }
        List& list = found->second;
        bytes_ -= list.bytes();
        list.places.push_back({slot, static_cast<std::uint32_t>(i)});
        bytes_ += list.bytes();
        entry.tag_places()[i] = {&list, static_cast<std::uint32_t>(list.places.size() - 1)};
    });
}

void TagIndex::remove(std::uint32_t slot) noexcept {
    const CacheEntry& entry = *slots_[slot].entry;
    for (std::size_t i = 0; i < entry.tag_count(); ++i) {
        const CacheEntry::TagPlace place = entry.tag_places()[i];
        auto& list = *static_cast<List*>(place.list);
        const Place last = list.places.back();
        list.places[place.position] = last;
        slots_[last.slot].entry->tag_places()[last.which].position = place.position;
        bytes_ -= list.bytes();
        list.places.pop_back();
        if (list.places.empty()) {
            bytes_ -= node_bytes(list.tag);
            lists_.erase(lists_.find(list.tag));
            continue;
        }
        if (list.places.capacity() > 4 * list.places.size()) list.places.shrink_to_fit();
        bytes_ += list.bytes();
    }
}

std::size_t TagIndex::count(std::string_view tag) const noexcept {
    const auto found = lists_.find(tag);
    return found == lists_.end() ? 0 : found->second.places.size();
}

std::uint32_t TagIndex::at(std::string_view tag, std::size_t position) const noexcept {
    return lists_.find(tag)->second.places[position].slot;
}

}  // namespace scrollgate
