// What CacheStore does for purges: they count at once, and a sweep in slices gives back the memory.
#include <algorithm>

#include "cache/store/store_impl.hpp"

namespace scrollgate {
namespace {

constexpr std::uint32_t slice = 64;  // entries compared under one lock

}  // namespace

std::uint64_t CacheStore::purge_position() const noexcept {
    return impl_->log.position();
}

bool CacheStore::overtaken(std::string_view key, std::uint64_t since) const {
    return since != impl_->log.position() && impl_->log.may_cover(place_of(key), since);
}

std::uint64_t CacheStore::Impl::chosen() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& shard : shards)
        sum += shard->chosen();
    return sum;
}

std::optional<std::uint64_t> CacheStore::purge(const Purge& purge) {
    const std::optional<std::uint64_t> number = impl_->log.add(purge);
    if (!number) return number;
    if (purge.by != Purge::By::url) {
        impl_->log.compare_entries(*number);
        return number;
    }
    // All that a URL can cover stands in one chain, but what has chosen lines.
    const std::string url = url_of_purge(purge.what);
    const KeyPlace place = place_of(url);
    Shard& shard = impl_->shard_of(place.hash);
    Leaving leaving;
    {
        const std::lock_guard lock(shard.lock);
        shard.settle_url(place, leaving);
    }
    impl_->forget(leaving);
    if (impl_->chosen() == 0)
        impl_->log.swept(*number);
    else
        impl_->log.compare_chosen(*number);
    return number;
}

bool CacheStore::may_hold(std::string_view what) const {
    if (impl_->chosen() != 0) return true;
    const std::string url = url_of_purge(what);
    const KeyPlace place = place_of(url);
    Shard& shard = impl_->shard_of(place.hash);
    const std::lock_guard lock(shard.lock);
    return shard.holds_url(place);
}

bool CacheStore::sweep(std::size_t most) {
    impl_->log.drop_some();
    while (most > 0) {
        std::size_t done = 0;
        if (const auto task = impl_->log.next_tag())
            done = impl_->sweep_tag(*task, most);
        else
            done = impl_->sweep_slots(most);
        if (done == 0) return true;
        most -= std::min(most, done);
    }
    return !impl_->log.next_tag() && impl_->log.next_pass().until == 0;
}

// What it did, at least 1: an empty shard is work, too.
std::size_t CacheStore::Impl::sweep_tag(const PurgeLog::Task& task, std::size_t most) {
    auto& at = tag_sweep;
    if (at.number != task.number) at = {task.number, 0, SIZE_MAX, {}};
    std::size_t done = 1;
    while (at.shard < shards.size() && done <= most) {
        Shard& shard = *shards[at.shard];
        Leaving leaving;
        {
            const std::lock_guard lock(shard.lock);
            at.from = shard.settle_tag(task.what, at.from, slice, leaving);
        }
        done += at.from != 0 ? slice : leaving.size() + 1;
        forget(leaving);
        if (at.from != 0) continue;
        ++at.shard;
        at.from = SIZE_MAX;
    }
    if (at.shard == shards.size()) log.swept(task.number);
    return done;
}

std::size_t CacheStore::Impl::sweep_slots(std::size_t most) {
    auto& at = slot_sweep;
    if (at.pass.until == 0) {
        at = {0, 0, 0, log.next_pass()};
        if (at.pass.until == 0) return 0;
    }
    std::size_t done = 0;
    while (at.shard < shards.size() && done < most) {
        Shard& shard = *shards[at.shard];
        Leaving leaving;
        {
            const std::lock_guard lock(shard.lock);
            at.from = shard.settle_slots(static_cast<std::uint32_t>(at.from), slice,
                                         at.pass.chosen_only, leaving);
        }
        done += slice;
        forget(leaving);
        if (at.from == 0) ++at.shard;
    }
    if (at.shard == shards.size()) {
        log.swept_until(at.pass.until);
        at.pass = {};
    }
    return std::max<std::size_t>(done, 1);
}

void CacheStore::fill_began(std::uint64_t position) {
    impl_->log.fill_began(position);
}

void CacheStore::fill_ended(std::uint64_t position) {
    impl_->log.fill_ended(position);
}

std::optional<std::uint64_t> CacheStore::purged_by(std::uint64_t number) const {
    return impl_->log.counted(number);
}

}  // namespace scrollgate
