// Tier, reading: what is found under a key's name, and how it comes into memory.
#include "cache/tier/tier.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cache/rules/vary.hpp"
#include "cache/tier/names.hpp"
#include "core/limits.hpp"

namespace scrollgate::tier {
namespace {

/// Seconds for which a response may be of use after it has become stale.
std::int64_t grace(const Freshness& freshness) noexcept {
    return std::max<std::int64_t>(freshness.while_revalidate, freshness.if_error);
}

/// Bytes of the body, when read.
std::uint64_t length_of(const Record& record) noexcept {
    std::uint64_t length = 0;
    for (const StoredBody::Part& part : record.parts)
        length += part.content;
    return length;
}

}  // namespace

bool Tier::asks() const noexcept {
    if (stopped_ || client_.state() != redis::State::up) return false;
    if (state_.positions.in_step(loop_.now())) return true;
    Counts::add(state_.counts.away);
    return false;
}

Tier::Look Tier::look(const Result<redis::Reply>& reply, std::string_view key, Record& into) const {
    Counts& counts = state_.counts;
    if (!reply || reply->is_error()) {
        Counts::add(counts.failures);
        // Who waits for a lease may wait in vain.
        if (!reply) state_.waits.wake_all(loop_);
        return Look::nothing;
    }
    if (reply->is_nil()) return Look::nothing;
    Counts::add(counts.bytes_read, reply->text.size());
    const Unreadable why = reply->is_text() ? decode(reply->text, into) : Unreadable::foreign;
    if (why != Unreadable::no) {
        counts.spoiled(why);
        return Look::nothing;
    }
    if (into.key != key || into.kind == Record::Kind::dictionary) {
        Counts::add(counts.foreign_keys);
        return Look::nothing;
    }
    switch (into.kind) {
        case Record::Kind::response:
            return Look::response;
        case Record::Kind::marker:
            return Look::marker;
        default:
            return Look::variants;
    }
}

/// A marker of another node's must not hide what is good here (as store_marker() has it).
bool Tier::may_mark(const CacheKey& key, const HeaderList& request) const noexcept {
    const CacheStore::Found there = state_.store.peek(key, request);
    if (there.variants) return false;
    if (!there.entry) return true;
    return there.entry->vary().empty() && there.entry->freshness().ttl(loop_.now()) <= 0;
}

Task<TierFound> Tier::find(const CacheKey& key, const HeaderList& request, const CacheEntry* known,
                           TimePoint until) {
    const std::string name = name_of_key(state_.prefix, key.text);
    redis::Command get = redis::Command::read({"GET", name});
    Result<redis::Reply> reply = co_await client_.ask(std::move(get), until);
    Task<TierFound> judged = judge(std::move(reply), key, request, known, until);
    TierFound found = co_await judged;
    if (found.absent) Counts::add(state_.counts.misses);
    co_return found;
}

/// What `reply` to GET of the key's name gives; where that varies, a second one is asked for.
Task<TierFound> Tier::judge(Result<redis::Reply> reply, const CacheKey& key,
                            const HeaderList& request, const CacheEntry* known, TimePoint until) {
    Record record;
    Look found = look(reply, key.text, record);
    std::string lines;
    if (found == Look::variants) {
        lines = variant_of(record.vary, request);
        const std::string variant = name_of_variant(name_of_key(state_.prefix, key.text), lines);
        if (stopped_) co_return TierFound{};
        redis::Command second = redis::Command::read({"GET", variant});
        reply = co_await client_.ask(std::move(second), until);
        found = look(reply, key.text, record);
    }
    TierFound taken;
    // A response is for the requests that its own lines say, whatever name it has.
    if ((found == Look::response || found == Look::marker) && record.vary != lines) {
        Counts::add(state_.counts.foreign_keys);
    } else if (found == Look::response || (found == Look::marker && may_mark(key, request))) {
        taken = take(record, known);
    }
    taken.answered = reply && !reply->is_error();
    taken.absent = reply && reply->is_nil();
    co_return taken;
}

// ---- leases

Task<Tier::Leased> Tier::take_lease(const CacheKey& key, std::string_view variant,
                                    const HeaderList& request, const CacheEntry* known,
                                    std::uint64_t token, bool waits, TimePoint until) {
    const std::string name = name_of_key(state_.prefix, key.text);
    const std::string lease = name_of_lease(name, variant);
    const std::string word = fmt::format("{:016x}", token);
    const std::string px = fmt::format(
        "{}", std::chrono::duration_cast<std::chrono::milliseconds>(limits::tier_lease).count());
    const std::string_view keys[]{lease};
    const std::string_view arguments[]{word, px};
    std::vector<redis::Command> both;
    both.push_back(waits ? redis::script_command(take_script(), keys, arguments)
                         : redis::Command::write({"SET", lease, word, "NX", "PX", px}));
    // Of the master: a replica may not have yet what was written a moment ago.
    both.push_back(redis::Command::master({"GET", name}));
    std::vector<Result<redis::Reply>> replies = co_await client_.ask_all(std::move(both), until);
    const Result<redis::Reply>& set = replies.front();
    Leased leased;
    if (set && !set->is_error()) leased.lease = set->is_nil() ? Lease::others : Lease::ours;
    if (leased.lease == Lease::ours) Counts::add(state_.counts.leases);
    Task<TierFound> judged = judge(std::move(replies.back()), key, request, known, until);
    leased.found = co_await judged;
    co_return leased;
}

// ---- into memory

// When the origin made them, by Redis's clock.
bool Tier::is_younger(const Record& record, const CacheEntry& known) const {
    using std::chrono::milliseconds;
    constexpr std::int64_t least = 500;  // as well as clocks are known
    const Freshness& freshness = known.freshness();
    const auto since =
        std::chrono::duration_cast<milliseconds>(loop_.now() - freshness.received).count();
    const std::int64_t known_ms = state_.positions.redis_ms(loop_.clock().wall()) - since -
                                  std::int64_t{freshness.initial_age} * 1000;
    const std::int64_t record_ms =
        record.received_ms - std::int64_t{record.freshness.initial_age} * 1000;
    return record_ms > known_ms + least;
}

TierFound Tier::take(const Record& record, const CacheEntry* known) {
    if (known != nullptr && !is_younger(record, *known)) return {};
    Counts& counts = state_.counts;
    const auto number = state_.positions.number_at(record.position);
    const std::int64_t resident =
        state_.positions.redis_ms(loop_.clock().wall()) - record.received_ms;
    if (!number || resident < -std::chrono::milliseconds(limits::tier_skew).count()) {
        Counts::add(counts.unknown_age);
        return {};
    }
    if (length_of(record) > state_.longest.load(std::memory_order_relaxed)) {
        Counts::add(counts.no_room);
        return {};
    }
    const std::int64_t there = std::max<std::int64_t>(resident, 0);
    Freshness freshness = record.freshness;
    const std::int64_t age = std::int64_t{freshness.initial_age} + there / 1000;
    // Redis would have let go of it: a clock is wrong.
    if (age > std::int64_t{freshness.lifetime} + grace(freshness)) {
        Counts::add(counts.unknown_age);
        return {};
    }
    freshness.initial_age = static_cast<std::uint32_t>(age);
    freshness.received = loop_.now() - std::chrono::milliseconds(there % 1000);
    EntryDraft draft;
    draft.key = record.key;
    draft.status = record.status;
    draft.fields = &record.fields;
    draft.vary = record.vary;
    draft.freshness = freshness;
    draft.tags = record.tags;
    draft.purge_position = *number;
    const bool marker = record.kind == Record::Kind::marker;
    if (!marker) draft.body = body_of(record);
    if (!marker && !draft.body) return {};
    CacheStore::Inserted inserted = state_.store.insert(draft);
    if (!inserted.entry) {
        const bool purged = inserted.reason == CacheReason::overtaken;
        Counts::add(purged ? counts.purged : counts.no_room);
        return {};
    }
    Counts::add(marker ? counts.markers : counts.hits);
    return {marker ? TierFound::Kind::marker : TierFound::Kind::entry, std::move(inserted.entry)};
}

BodyRef Tier::body_of(const Record& record) {
    DictionaryRef dictionary;
    if (record.needs_dictionary()) {
        dictionary = state_.dictionaries.find(record.dictionary);
        if (!dictionary) {
            Counts::add(state_.counts.no_dictionary);
            fetch_dictionary(record.dictionary);
            return nullptr;
        }
    }
    BodyRef body = StoredBody::of_parts(record.parts, dictionary);
    if (!body) state_.counts.spoiled(Unreadable::broken);
    return body;
}

// ---- dictionaries

void Tier::fetch_dictionary(const Hash128& name) {
    if (!stopped_ && state_.dictionaries.begin(name)) detach(read_dictionary(name));
}

Task<void> Tier::read_dictionary(Hash128 name) {
    const std::shared_ptr<bool> alive = alive_;
    TierState& state = state_;
    const std::string key = name_of_dictionary(state.prefix, name);
    redis::Command get = redis::Command::read({"GET", key});
    const TimePoint until = loop_.now() + limits::tier_ask;
    const Result<redis::Reply> reply = co_await client_.ask(std::move(get), until);
    if (!*alive) co_return;
    Record record;
    if (reply && reply->is_text()) {
        Unreadable why = decode(reply->text, record);
        const bool ours = why == Unreadable::no && record.kind == Record::Kind::dictionary;
        std::string text(ours ? record.parts.front().bytes : "");
        if (why == Unreadable::no && (!ours || hash128(text) != name)) why = Unreadable::broken;
        if (why == Unreadable::no)
            static_cast<void>(state.dictionaries.add(std::move(text)));
        else
            state.counts.spoiled(why);
    }
    state.dictionaries.done(name);
}

}  // namespace scrollgate::tier
