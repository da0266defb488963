#include "cache/store/store.hpp"

#include <algorithm>
#include <bit>
#include <set>

#include "cache/store/store_impl.hpp"

namespace scrollgate {
namespace {

constexpr std::size_t memory_per_shard = 256 * limits::KiB;
constexpr unsigned slice = 128;          // moves under one lock
constexpr unsigned expire_most = 65536;  // moves of one expire()
constexpr std::array multiples{0.5, 1.0, 2.0, 4.0};

}  // namespace

CacheStore::Impl::Impl(const Clock& its_clock) : clock(its_clock), begin(its_clock.now()) {
    make_shards(limits::cache_memory);
}

void CacheStore::Impl::make_shards(std::uint64_t memory) {
    shards.clear();
    const std::uint64_t wanted =
        std::clamp<std::uint64_t>(memory / memory_per_shard, 1, limits::cache_shards);
    for (std::size_t i = 0; i < std::bit_floor(wanted); ++i)
        shards.push_back(std::make_unique<Shard>(ledger, log, entries, begin, clock.now()));
}

CacheStore::CacheStore(const Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}

CacheStore::~CacheStore() {
    // Bodies let go of dictionaries, which are charged to the store.
    impl_->shards.clear();
    impl_->trainers.clear();
}

void CacheStore::configure(const config::Cache& cache) {
    impl_->ledger.set_capacity(cache.memory);
    impl_->max_entries.store(cache.max_entries, std::memory_order_relaxed);
    if (!impl_->in_use && impl_->entries.load(std::memory_order_relaxed) == 0)
        // Off now, but it may be turned on when it is too late to change their number.
        impl_->make_shards(cache.memory == 0 ? limits::cache_memory : cache.memory);
    impl_->in_use = true;
    while (impl_->ledger.used() > cache.memory ||
           impl_->entries.load(std::memory_order_relaxed) > cache.max_entries)
        if (impl_->evict_one() == 0) break;
}

CacheStore::Found CacheStore::Impl::look(const CacheKey& key, const HeaderList& request,
                                         bool counts) noexcept {
    Shard& shard = shard_of(key.hash);
    Leaving leaving;
    Found found;
    {
        const std::lock_guard lock(shard.lock);
        const Shard::Match match = shard.find(key, request, leaving);
        found.variants = match.variants;
        if (match.slot != Slots::none) {
            found.entry = shard.slots()[match.slot].entry;
            if (counts) shard.use(match.slot);
            if (counts && !found.entry->is_marker()) shard.count_use();
        }
    }
    if (!leaving.empty()) forget(leaving);
    if (counts && found.entry && ratio.follows(key.hash) && !found.entry->is_marker())
        ratio.use(key.hash, found.entry->charged());
    return found;
}

CacheStore::Found CacheStore::find(const CacheKey& key, const HeaderList& request) noexcept {
    return impl_->look(key, request, true);
}

CacheStore::Found CacheStore::peek(const CacheKey& key, const HeaderList& request) const noexcept {
    return impl_->look(key, request, false);
}

std::vector<EntryRef> CacheStore::variants(const CacheKey& key, std::size_t most) const {
    std::vector<EntryRef> found;
    found.reserve(most);
    Leaving leaving;
    {
        Shard& shard = impl_->shard_of(key.hash);
        const std::lock_guard lock(shard.lock);
        shard.variants(key, most, found, leaving);
    }
    impl_->forget(leaving);
    return found;
}

std::size_t CacheStore::Impl::evict_one() {
    // Of two shards the heavier one first. What is new has its share of the whole store: where a
    // shard holds a few entries only, a scan would push out what is hot in another one.
    const std::size_t count = shards.size();
    const std::uint32_t ticket = turn.fetch_add(1, std::memory_order_relaxed);
    std::size_t first = ticket % count;
    const std::size_t second = (ticket * 0x9e3779b1U >> 16U) % count;
    if (shards[second]->weight() > shards[first]->weight()) first = second;
    std::size_t all = 0, fresh = 0;
    for (const auto& shard : shards) {
        all += shard->weight();
        fresh += shard->new_weight();
    }
    using Reach = Eviction::Reach;
    for (const Reach reach : {Reach::fresh, Reach::unused, Reach::any}) {
        if (reach == Reach::fresh && !Eviction::are_too_many(fresh, all)) continue;
        for (std::size_t i = 0; i < count; ++i) {
            Shard& shard = *shards[(first + i) % count];
            if (reach == Reach::fresh && shard.new_weight() == 0) continue;
            if (const std::size_t freed = evict_from(shard, reach); freed > 0) return freed;
        }
    }
    return 0;
}

std::size_t CacheStore::Impl::evict_from(Shard& shard, Eviction::Reach reach) {
    if (shard.weight() == 0) return 0;
    Leaving leaving;
    {
        const std::lock_guard lock(shard.lock);
        if (!shard.evict(reach, leaving)) return 0;
    }
    return leaving.front()->charged();
}

bool CacheStore::Impl::is_full_by_number() const noexcept {
    const std::uint64_t most = max_entries.load(std::memory_order_relaxed);
    return entries.load(std::memory_order_relaxed) + most / 50 + 1 >= most;
}

bool CacheStore::Impl::make_room(std::size_t bytes) {
    if (bytes > ledger.capacity()) return false;
    // Entries that somebody still reads free nothing when they leave: there is an end to it.
    std::size_t left = 0;
    while (!ledger.charge(bytes)) {
        const std::size_t freed = left > 2 * bytes + limits::MiB ? 0 : evict_one();
        // Nothing is left to evict: a sweep may have made the room meanwhile.
        if (freed == 0) return ledger.charge(bytes);
        left += freed;
    }
    return true;
}

bool CacheStore::Impl::make_place() {
    std::uint64_t now = entries.load(std::memory_order_relaxed);
    for (;;) {
        if (now >= max_entries.load(std::memory_order_relaxed)) {
            const bool none = evict_one() == 0;
            now = entries.load(std::memory_order_relaxed);
            if (none && now >= max_entries.load(std::memory_order_relaxed)) return false;
        } else if (entries.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) {
            return true;
        }
    }
}

CacheStore::Inserted CacheStore::insert(const EntryDraft& draft) {
    EntryRef entry = CacheEntry::make(draft);
    if (!entry) return {nullptr, CacheReason::too_large};
    const KeyPlace place = place_of(draft.key);
    Shard& shard = impl_->shard_of(place.hash);
    const bool brings = draft.body && !entry->is_marker() && !entry->body().is_charged();
    const std::size_t body = brings ? entry->body_bytes() : 0;
    const std::size_t own = entry->own_bytes();
    const std::size_t growth = shard.growth(*entry);
    if (!impl_->make_room(own + body + growth)) return {nullptr, CacheReason::no_memory};
    if (!impl_->make_place()) {
        impl_->ledger.release(own + body + growth);
        return {nullptr, CacheReason::no_memory};
    }
    const std::size_t charged = entry->charged();
    Leaving leaving;
    Shard::Put put;
    {
        const std::lock_guard lock(shard.lock);
        put = shard.put(entry, place, draft, leaving);
        if (put.added && !entry->is_marker()) shard.count_use();
    }
    // What the tables grew by is charged by now.
    impl_->ledger.release(growth);
    if (!put.added) impl_->entries.fetch_sub(1, std::memory_order_relaxed);
    if (put.reason != CacheReason::none) {
        impl_->ledger.release(own + body);
        return {nullptr, put.reason};
    }
    // Somebody else may have brought the same body meanwhile.
    if (brings && !entry->body().hand_over(impl_->ledger)) impl_->ledger.release(body);
    if (put.added && !entry->is_marker() && impl_->ratio.follows(place.hash))
        impl_->ratio.use(place.hash, charged);
    return {std::move(entry), CacheReason::none};
}

bool CacheStore::remove(const CacheEntry& entry) {
    const KeyPlace place = place_of(entry.key());
    Shard& shard = impl_->shard_of(place.hash);
    Leaving leaving;
    {
        const std::lock_guard lock(shard.lock);
        if (!shard.remove(entry, place.hash, leaving)) return false;
    }
    impl_->forget(leaving);
    return true;
}

bool CacheStore::reserve(std::size_t bytes) {
    Impl& impl = *impl_;
    if (!impl.ledger.charge(bytes)) {
        const std::uint64_t all = impl.reserved.load(std::memory_order_relaxed) + bytes;
        if (all > impl.ledger.capacity() / 2 || !impl.make_room(bytes)) return false;
    }
    impl.reserved.fetch_add(bytes, std::memory_order_relaxed);
    return true;
}

void CacheStore::release(std::size_t bytes) noexcept {
    impl_->reserved.fetch_sub(bytes, std::memory_order_relaxed);
    impl_->ledger.release(bytes);
}

void CacheStore::Impl::forget(const Leaving& leaving) {
    for (const EntryRef& entry : leaving)
        if (const std::uint64_t hash = place_of(entry->key()).hash; ratio.follows(hash))
            ratio.forget(hash);
}

std::uint64_t CacheStore::Impl::uses() const {
    std::uint64_t sum = 0;
    for (const auto& shard : shards) {
        const std::lock_guard lock(shard->lock);
        sum += shard->counts().uses;
    }
    return sum;
}

void CacheStore::expire() {
    unsigned left = expire_most;
    const TimePoint now = impl_->clock.now();
    std::size_t& at = impl_->expire_next;
    for (std::size_t i = 0; i < impl_->shards.size() && left > 0; ++i) {
        Shard* const shard = impl_->shards[at % impl_->shards.size()].get();
        bool done = false;
        while (!done && left > 0) {
            Leaving leaving;
            unsigned budget = std::min(slice, left);
            left -= budget;
            {
                const std::lock_guard lock(shard->lock);
                done = shard->expire(now, budget, leaving);
            }
            left += budget;
            impl_->forget(leaving);
        }
        if (done) ++at;  // else the next call goes on with it
    }
    impl_->study();
    impl_->ratio.age(impl_->uses());
}

void CacheStore::Impl::study() {
    const std::lock_guard lock(trainers_mutex);
    for (auto& [partition, trainer] : trainers)
        trainer.study();
}

DictionaryTrainer& CacheStore::trainer(std::string_view partition) {
    const std::lock_guard lock(impl_->trainers_mutex);
    const auto found = impl_->trainers.find(partition);
    if (found != impl_->trainers.end()) return found->second;
    return impl_->trainers.try_emplace(std::string(partition), *this).first->second;
}

bool CacheStore::is_empty() const noexcept {
    return impl_->entries.load(std::memory_order_relaxed) == 0;
}

CacheNumbers CacheStore::numbers() const {
    CacheNumbers numbers;
    numbers.bytes = impl_->ledger.used();
    numbers.capacity = impl_->ledger.capacity();
    numbers.full_by_number = impl_->is_full_by_number();
    for (const auto& shard : impl_->shards) {
        const std::lock_guard lock(shard->lock);
        const Shard::Counts& counts = shard->counts();
        numbers.entries += shard->entries();
        numbers.bytes_raw += counts.content;
        numbers.evictions += counts.evictions;
        numbers.expirations += counts.expirations;
        numbers.writes += counts.writes;
        numbers.purged += counts.purged;
    }
    return numbers;
}

std::array<HitRateAt, 4> CacheStore::hit_rates() const {
    const std::uint64_t uses = impl_->uses();
    std::uint64_t room = impl_->ledger.capacity();
    if (impl_->is_full_by_number()) {
        room = 0;
        for (const auto& shard : impl_->shards)
            room += shard->weight();
    }
    std::array<HitRateAt, 4> rates{};
    for (std::size_t i = 0; i < rates.size(); ++i) {
        const double bytes = static_cast<double>(room) * multiples[i];
        rates[i] = {multiples[i], impl_->ratio.hit_rate(static_cast<std::uint64_t>(bytes), uses)};
    }
    return rates;
}

void CacheStore::count_demand(std::uint64_t hash, std::uint32_t uses) noexcept {
    impl_->hot.count(hash, uses);
}

std::vector<std::string> CacheStore::hottest(std::size_t most) const {
    std::vector<std::string> keys;
    std::set<std::string, std::less<>> seen;  // variants have one key
    std::vector<EntryRef> some;
    const auto add_some = [&] {
        for (const EntryRef& entry : some)
            if (keys.size() < most && seen.emplace(entry->key()).second)
                keys.emplace_back(entry->key());
        some.clear();
    };
    for (const std::uint64_t hash : impl_->hot.hottest()) {
        if (keys.size() >= most) return keys;
        impl_->shard_of(hash).placed_at(hash, some);
        add_some();
    }
    for (unsigned rank = 2 * (Slot::use_most + 1); rank-- > 0;)
        for (const auto& shard : impl_->shards) {
            bool more = true;
            for (std::uint32_t from = 0; more && keys.size() < most; from += slice) {
                more = shard->used_at(rank, from, slice, some);
                add_some();
            }
        }
    return keys;
}

}  // namespace scrollgate
