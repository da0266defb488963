#include "cache/store/shard.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "cache/rules/http_date.hpp"
#include "cache/rules/vary.hpp"

namespace scrollgate {
namespace {

constexpr std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash) & 0x0fff'ffffU;
}

/// Seconds; two-digit years, which are rare, are read alike for all. Nothing: it says none.
std::optional<std::int64_t> date_of(const CacheEntry& entry) {
    HeaderList fields;
    entry.fields(fields);
    return parse_http_date(fields.value(Field::date), 0);
}

/// Of two responses for one variant the one in place is the newer: `entry` was asked for before a
/// soft purge that the other one came after; or they were under way together, and its Date is the
/// older one (RFC 9111 section 4). Otherwise clocks of several origins need not agree.
bool is_outdated(const CacheEntry& entry, const CacheEntry& in_place) {
    if (entry.is_marker() || entry.by_hand() || in_place.is_marker()) return false;
    if (entry.softly_purged() && !in_place.softly_purged()) return true;
    const Freshness& fresh = entry.freshness();
    const TimePoint asked = fresh.received - std::chrono::milliseconds(fresh.took_ms);
    if (in_place.freshness().received <= asked) return false;
    const auto own = date_of(entry), other = date_of(in_place);
    return own && other && *own < *other;
}

}  // namespace

Shard::Shard(Ledger& ledger, PurgeLog& log, std::atomic<std::uint64_t>& entries, TimePoint begin,
             TimePoint now)
    : ledger_(ledger),
      log_(log),
      entries_(entries),
      begin_(begin),
      index_(slots_),
      eviction_(slots_),
      wheel_(slots_, second(now)),
      tags_(slots_) {
    charge_tables();
}

Shard::~Shard() {
    for (std::uint32_t i = 0; i < slots_.end(); ++i)
        if (const CacheEntry* entry = std::exchange(slots_[i].entry, nullptr)) {
            entry->leave(ledger_);
            intrusive_ptr_release(entry);
        }
    ledger_.release(charged_);
}

std::uint64_t Shard::second(TimePoint at) const noexcept {
    if (at < begin_) return 0;
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(at - begin_).count());
}

// When it can be of no use any more: past its lifetime and all leave to use it stale, and past the
// time in which a validation is worth it.
std::uint64_t Shard::due(const CacheEntry& entry) const noexcept {
    const Freshness& fresh = entry.freshness();
    std::int64_t left = std::int64_t{fresh.lifetime} - fresh.initial_age;
    // Whoever granted them has looked at must_revalidate and the like.
    left += std::max(fresh.while_revalidate, fresh.if_error);
    left = std::max<std::int64_t>(left, 0);
    if (fresh.has_validator || fresh.if_slow)
        left += std::chrono::duration_cast<std::chrono::seconds>(limits::cache_kept).count();
    // A second has begun: it is over with the next.
    return second(fresh.received) + static_cast<std::uint64_t>(left) + 1;
}

Shard::Match Shard::find(const CacheKey& key, const HeaderList& request, Leaving& leaving) {
    const std::uint32_t tag = tag_of(key.hash);
    Match match;
    VaryMatcher matcher(request);
    std::uint32_t next = Slots::none;
    for (std::uint32_t i = index_.first(tag); i != Slots::none; i = next) {
        const Slot& slot = slots_[i];
        next = slot.chain;
        if (slot.tag != tag || slot.entry->key() != key.text) continue;
        if (!settle(i, log_.unswept(slot.chosen), leaving)) continue;
        match.variants = true;
        const std::string_view vary = slot.entry->vary();
        if (vary.empty() || matcher.matches(vary)) {
            match.slot = i;
            break;
        }
    }
    return match;
}

void Shard::variants(const CacheKey& key, std::size_t most, std::vector<EntryRef>& found,
                     Leaving& leaving) {
    const std::uint32_t tag = tag_of(key.hash);
    std::uint32_t next = Slots::none;
    for (std::uint32_t i = index_.first(tag); i != Slots::none && found.size() < most; i = next) {
        const Slot& slot = slots_[i];
        next = slot.chain;
        if (slot.tag != tag || slot.entry->key() != key.text) continue;
        if (settle(i, log_.unswept(slot.chosen), leaving)) found.emplace_back(slot.entry);
    }
}

std::uint32_t Shard::find_variant(std::uint32_t tag, const CacheEntry& entry, Leaving& leaving) {
    std::uint32_t found = Slots::none;
    std::uint32_t oldest = Slots::none;
    std::size_t variants = 0;
    std::uint32_t next = Slots::none;
    for (std::uint32_t i = index_.first(tag); i != Slots::none; i = next) {
        const Slot& slot = slots_[i];
        next = slot.chain;
        if (slot.tag != tag || slot.entry->key() != entry.key()) continue;
        // What a purge has covered goes by it, and counts so.
        if (!settle(i, log_.unswept(slot.chosen), leaving)) continue;
        // What can be shared again takes the place of the marker that says that it cannot.
        if (slot.entry->vary() == entry.vary() || (found == Slots::none && slot.entry->is_marker()))
            found = i;
        oldest = i;
        ++variants;
    }
    if (found == Slots::none && variants >= limits::cache_variants)
        take_out(oldest, Why::evicted, leaving);
    return found;
}

// What an operator has set stays as long as it may, whatever fills bring; `entry` is as of now.
bool Shard::is_held(std::uint32_t tag, const CacheEntry& entry, Leaving& leaving) {
    std::uint32_t next = Slots::none;
    for (std::uint32_t i = index_.first(tag); i != Slots::none; i = next) {
        const Slot& slot = slots_[i];
        next = slot.chain;
        if (slot.tag != tag || !slot.entry->by_hand() || slot.entry->key() != entry.key()) continue;
        if (!settle(i, log_.unswept(slot.chosen), leaving)) continue;
        const bool lives = slot.entry->freshness().ttl(entry.freshness().received) > 0;
        if (lives && !slot.entry->softly_purged()) return true;
    }
    return false;
}

bool Shard::holds(const CacheEntry& entry) const noexcept {
    return entry.slot() < slots_.end() && slots_[entry.slot()].entry == &entry;
}

Shard::Put Shard::put(EntryRef entry, const KeyPlace& place, const EntryDraft& draft,
                      Leaving& leaving) {
    const std::uint64_t position = draft.purge_position;
    // Counted before the log is read: purge() writes the log and then reads this, so that one of
    // the two sees the other. All four accesses are sequentially consistent; less would not do.
    if (place.chosen) chosen_.fetch_add(1);
    const std::uint64_t now = log_.position();
    Put result;
    if (now != position) {
        const PurgeLog::Covered covered = log_.covers(*entry, place, position);
        if (covered.how == PurgeLog::Covered::hard || log_.forgotten(position))
            result.reason = CacheReason::overtaken;
        else if (covered.how == PurgeLog::Covered::soft)
            entry->mark_softly_purged();
    }
    const std::uint32_t tag = tag_of(place.hash);
    if (result.reason == CacheReason::none && !entry->by_hand() && is_held(tag, *entry, leaving))
        result.reason = CacheReason::overtaken;
    if (draft.instead_of != nullptr && !holds(*draft.instead_of))
        result.reason = CacheReason::overtaken;
    std::uint32_t same = Slots::none;
    if (result.reason == CacheReason::none) same = find_variant(tag, *entry, leaving);
    if (same != Slots::none && is_outdated(*entry, *slots_[same].entry))
        result.reason = CacheReason::overtaken;
    if (result.reason != CacheReason::none) {
        if (place.chosen) chosen_.fetch_sub(1);
        return result;
    }
    entry->set_checked(now);
    counts_.content += entry->is_marker() ? 0 : entry->body().size();
    if (same != Slots::none) {
        if (place.chosen) chosen_.fetch_sub(1);
        replace(same, std::move(entry), leaving);
    } else {
        add(std::move(entry), tag, place.chosen);
        result.added = true;
    }
    ++counts_.writes;
    tell_weight();
    charge_tables();
    return result;
}

void Shard::add(EntryRef entry, std::uint32_t tag, bool chosen) {
    const std::uint32_t i = slots_.take();
    Slot& slot = slots_[i];
    slot.entry = entry.detach();
    slot.tag = tag & 0x0fff'ffffU;
    slot.chosen = chosen ? 1 : 0;
    slot.entry->set_slot(i);
    index_.add(i);
    eviction_.add(i, slot.entry->charged());
    wheel_.add(i, due(*slot.entry));
    tags_.add(i);
}

// It keeps its place in the queue and its uses, and becomes the newest of its chain.
void Shard::replace(std::uint32_t i, EntryRef entry, Leaving& leaving) {
    Slot& slot = slots_[i];
    const CacheEntry* const old = slot.entry;
    index_.remove(i);
    wheel_.remove(i);
    tags_.remove(i);
    eviction_.resize(i, old->charged(), entry->charged());
    counts_.content -= old->is_marker() ? 0 : old->body().size();
    slot.entry = entry.detach();
    slot.entry->set_slot(i);
    index_.add(i);
    wheel_.add(i, due(*slot.entry));
    tags_.add(i);
    let_go(old, leaving);
}

void Shard::let_go(const CacheEntry* entry, Leaving& leaving) {
    entry->leave(ledger_);
    leaving.emplace_back(entry, false);
}

void Shard::take_out(std::uint32_t i, Why why, Leaving& leaving) {
    Slot& slot = slots_[i];
    const CacheEntry* const entry = slot.entry;
    index_.remove(i);
    wheel_.remove(i);
    tags_.remove(i);
    eviction_.remove(i, entry->charged());
    tell_weight();
    if (slot.chosen) chosen_.fetch_sub(1);
    counts_.content -= entry->is_marker() ? 0 : entry->body().size();
    slot.entry = nullptr;
    slots_.give(i);
    count_out(why);
    entries_.fetch_sub(1, std::memory_order_relaxed);
    let_go(entry, leaving);
    if (slots_.used() != 0) return;
    // The tables of what was once a large shard.
    slots_.reset();
    index_.reset();
    eviction_.forget_ghost();
    tags_.reset();
    charge_tables();
}

void Shard::count_out(Why why) noexcept {
    counts_.evictions += why == Why::evicted ? 1 : 0;
    counts_.expirations += why == Why::expired ? 1 : 0;
    counts_.purged += why == Why::purged ? 1 : 0;
}

bool Shard::remove(const CacheEntry& entry, std::uint64_t hash, Leaving& leaving) {
    const std::uint32_t tag = tag_of(hash);
    for (std::uint32_t i = index_.first(tag); i != Slots::none; i = slots_[i].chain)
        if (slots_[i].entry == &entry) {
            take_out(i, Why::removed, leaving);
            return true;
        }
    return false;
}

void Shard::tell_weight() noexcept {
    weight_.store(eviction_.bytes(), std::memory_order_relaxed);
    new_weight_.store(eviction_.new_bytes(), std::memory_order_relaxed);
}

bool Shard::evict(Eviction::Reach reach, Leaving& leaving) {
    const std::uint32_t victim = eviction_.victim(reach);
    if (victim == Slots::none) {
        tell_weight();  // some may have gone from one queue to the other
        return false;
    }
    take_out(victim, Why::evicted, leaving);
    charge_tables();
    return true;
}

bool Shard::expire(TimePoint now, unsigned& budget, Leaving& leaving) {
    return wheel_.advance(
        second(now), budget, [this](const CacheEntry& entry) { return due(entry); },
        [&](std::uint32_t i) { take_out(i, Why::expired, leaving); });
}

bool Shard::settle(std::uint32_t i, std::uint64_t needed, Leaving& leaving) {
    const CacheEntry& entry = *slots_[i].entry;
    if (entry.checked() >= needed) return true;
    const std::uint64_t now = log_.position();
    const PurgeLog::Covered covered = log_.covers(entry, place_of(entry.key()), entry.checked());
    entry.set_checked(now);
    if (covered.how == PurgeLog::Covered::not_at_all) return true;
    if (covered.how == PurgeLog::Covered::hard || entry.is_marker()) {
        log_.count(covered.number);
        take_out(i, Why::purged, leaving);
        return false;
    }
    if (!entry.softly_purged()) {
        log_.count(covered.number);
        entry.mark_softly_purged();
        ++counts_.purged;
    }
    return true;
}

bool Shard::holds_url(const KeyPlace& place) const noexcept {
    const std::uint32_t tag = tag_of(place.hash);
    for (std::uint32_t i = index_.first(tag); i != Slots::none; i = slots_[i].chain)
        if (slots_[i].tag == tag) return true;
    return false;
}

void Shard::settle_url(const KeyPlace& place, Leaving& leaving) {
    const std::uint32_t tag = tag_of(place.hash);
    std::uint32_t next = Slots::none;
    for (std::uint32_t i = index_.first(tag); i != Slots::none; i = next) {
        next = slots_[i].chain;
        if (slots_[i].tag == tag) settle(i, log_.position(), leaving);
    }
}

std::size_t Shard::settle_tag(std::string_view tag, std::size_t from, std::size_t most,
                              Leaving& leaving) {
    for (from = std::min(from, tags_.count(tag)); from > 0 && most > 0; --most) {
        settle(tags_.at(tag, --from), log_.position(), leaving);
        from = std::min(from, tags_.count(tag));
    }
    return from;
}

std::uint32_t Shard::settle_slots(std::uint32_t from, std::uint32_t most, bool chosen_only,
                                  Leaving& leaving) {
    std::uint32_t i = from;
    for (; i < slots_.end() && most > 0; ++i, --most)
        if (slots_[i].entry != nullptr && (slots_[i].chosen || !chosen_only))
            settle(i, log_.position(), leaving);
    return i < slots_.end() ? i : 0;
}

void Shard::placed_at(std::uint64_t hash, std::vector<EntryRef>& found) const {
    const std::lock_guard guard(lock);
    const std::uint32_t tag = tag_of(hash);
    for (std::uint32_t i = index_.first(tag); i != Slots::none; i = slots_[i].chain) {
        const Slot& slot = slots_[i];
        if (slot.tag != tag || slot.entry->is_marker()) continue;
        if (place_of(slot.entry->key()).hash == hash) found.emplace_back(slot.entry);
    }
}

bool Shard::used_at(unsigned rank, std::uint32_t from, std::uint32_t most,
                    std::vector<EntryRef>& found) const {
    const std::lock_guard guard(lock);
    const std::uint32_t end =
        slots_.end() - std::min(from, slots_.end()) > most ? from + most : slots_.end();
    for (std::uint32_t i = from; i < end; ++i) {
        const Slot& slot = slots_[i];
        // The entry itself is looked at only where the rest agrees.
        if (slot.in_main * (Slot::use_most + 1) + slot.use != rank || slot.entry == nullptr)
            continue;
        if (!slot.entry->is_marker()) found.emplace_back(slot.entry);
    }
    return end < slots_.end();
}

std::size_t Shard::growth(const CacheEntry& entry) const noexcept {
    // A segment of slots and one of buckets; and directories double now and then.
    constexpr std::size_t segments = 3 * limits::KiB;
    return segments + entries_.load(std::memory_order_relaxed) / 4 + TagIndex::most_for(entry);
}

// What the ghost will need for so many entries, because it grows all at once.
std::size_t Shard::ghost_bytes() const noexcept {
    return std::max(eviction_.ghost_bytes(), Ghost::most_for(slots_.used()));
}

void Shard::charge_tables() {
    const std::size_t now =
        sizeof(Shard) + slots_.bytes() + index_.bytes() + ghost_bytes() + tags_.bytes();
    if (now > charged_)
        ledger_.add(now - charged_);
    else
        ledger_.release(charged_ - now);
    charged_ = now;
}

}  // namespace scrollgate
