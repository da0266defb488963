#include "cache/fill/fill_table.hpp"

#include <algorithm>
#include <utility>

#include "cache/rules/reuse.hpp"
#include "cache/store/key_place.hpp"
#include "core/limits.hpp"

namespace scrollgate {

FillTable::Joined FillTable::join_or_lead(const CacheKey& key, const HeaderList& request,
                                          const Wanted& wanted) {
    Shard& shard = shard_of(key.hash);
    const std::lock_guard lock(shard.mutex);
    const auto [first, last] = shard.fills.equal_range(key.hash);
    for (auto at = first; at != last; ++at) {
        const FillRef& fill = at->second;
        if (fill->closed() && !wanted.joins_closed) continue;
        if (fill->key().text == key.text && !store_.overtaken(key.text, fill->purge_position()) &&
            fill->suits(request, wanted.chooses)) {
            return {fill, false, {}};
        }
    }
    // An entry is in the store before its fill leaves the table: whoever misses both, leads.
    EntryRef entry = store_.peek(key, request).entry;
    if (entry && wanted.route != nullptr && !is_for_route(*entry, *wanted.route)) entry.reset();
    if (entry != nullptr && entry.get() != wanted.known) return {{}, false, std::move(entry)};
    FillRef fill = add(shard, key, wanted.variant, wanted.closed);
    const bool leads = fill != nullptr;
    return {std::move(fill), leads, {}};
}

FillRef FillTable::lead(const CacheKey& key, std::string_view variant, bool closed) {
    Shard& shard = shard_of(key.hash);
    const std::lock_guard lock(shard.mutex);
    return add(shard, key, variant, closed);
}

FillRef FillTable::add(Shard& shard, const CacheKey& key, std::string_view variant, bool closed) {
    const auto [first, last] = shard.fills.equal_range(key.hash);
    const auto same = std::count_if(
        first, last, [&key](const auto& at) { return at.second->key().text == key.text; });
    if (static_cast<std::size_t>(same) >= limits::fills_of_key) return {};
    if (count_.fetch_add(1, std::memory_order_relaxed) >= limits::fills) {
        count_.fetch_sub(1, std::memory_order_relaxed);
        return {};
    }
    FillRef fill(new Fill(store_, key, variant, closed));
    // Before it can be found: may_fill() must not miss it.
    if (has_chosen_lines(key.text)) chosen_.fetch_add(1, std::memory_order_relaxed);
    shard.fills.emplace(key.hash, fill);
    return fill;
}

void FillTable::leave(const Fill& fill) noexcept {
    Shard& shard = shard_of(fill.key().hash);
    FillRef gone;  // let go of when the lock is free
    const std::lock_guard lock(shard.mutex);
    const auto [first, last] = shard.fills.equal_range(fill.key().hash);
    for (auto at = first; at != last; ++at) {
        if (at->second.get() != &fill) continue;
        gone = std::move(at->second);
        shard.fills.erase(at);
        count_.fetch_sub(1, std::memory_order_relaxed);
        if (has_chosen_lines(fill.key().text)) chosen_.fetch_sub(1, std::memory_order_relaxed);
        return;
    }
}

bool FillTable::may_fill(std::string_view what) const {
    if (size() == 0) return false;
    if (chosen_.load(std::memory_order_relaxed) != 0) return true;  // they have places of their own
    const std::string url = url_of_purge(what);
    const std::uint64_t hash = place_of(url).hash;
    const Shard& shard = shard_of(hash);
    const std::lock_guard lock(shard.mutex);
    return shard.fills.contains(hash);
}

std::size_t FillTable::waiting() const {
    std::size_t sum = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        for (const auto& [hash, fill] : shard.fills)
            sum += fill->waiting();
    }
    return sum;
}

}  // namespace scrollgate
