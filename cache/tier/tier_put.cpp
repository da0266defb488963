// Tier, writing: what a fill has brought, behind all that is asked.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cache/rules/vary.hpp"
#include "cache/tier/names.hpp"
#include "cache/tier/tier.hpp"
#include "core/limits.hpp"

namespace scrollgate::tier {
namespace {

std::int64_t milliseconds(Duration span) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

/// How long it may be of use, stale or not, from `now` on.
std::int64_t left_ms(const Freshness& freshness, TimePoint now) noexcept {
    const std::int64_t grace =
        std::max<std::int64_t>(freshness.while_revalidate, freshness.if_error);
    const std::int64_t whole =
        std::int64_t{freshness.lifetime} - std::int64_t{freshness.initial_age} + grace;
    return whole * 1000 - milliseconds(now - freshness.received);
}

void add_parts(Record& record, const StoredBody& body) {
    for (std::size_t i = 0; i < body.part_count(); ++i)
        record.parts.push_back(body.part(i));
    if (const Dictionary* dictionary = body.dictionary()) record.dictionary = dictionary->name();
}

}  // namespace

Position Tier::position() const noexcept {
    return state_.positions.in_step(loop_.now()) ? state_.positions.followed() : 0;
}

// By name, in one place: the set of a tag's responses, which lives as long as the last of them.
// Constant work: what has expired goes a few at a time.
const redis::Script& Tier::tag_script() {
    static const redis::Script script(R"(
local now, left = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZADD', KEYS[1], now + left, ARGV[1])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 16)
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[4]) then redis.call('ZPOPMIN', KEYS[1]) end
if redis.call('PTTL', KEYS[1]) < left then redis.call('PEXPIRE', KEYS[1], left) end
return 1)");
    return script;
}

// A response that was made later and knows of the same purges stays; what is no record, or no text
// even, is replaced. The head of a record is in docs/cache-format.md; positions have more bits than
// numbers here.
const redis::Script& Tier::put_script() {
    static const redis::Script script(R"(
local there = redis.pcall('GETRANGE', KEYS[1], 0, 35)
local is_record = type(there) == 'string' and #there == 36
if is_record and string.sub(there, 1, 5) == string.sub(ARGV[1], 1, 5) then
  local low, high, received, age = struct.unpack('<I4I4i8I4', there, 17)
  local my_low, my_high, my_received, my_age = struct.unpack('<I4I4i8I4', ARGV[1], 17)
  local knows = high > my_high or (high == my_high and low >= my_low)
  if knows and received - age * 1000 > my_received - my_age * 1000 then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1)");
    return script;
}

// What the key's responses vary by, for the longest-lived of them. The first five bytes of a record
// tell its kind.
const redis::Script& Tier::names_script() {
    static const redis::Script script(R"(
local left = ARGV[2]
if redis.pcall('GETRANGE', KEYS[1], 0, 4) == string.sub(ARGV[1], 1, 5) then
  local before = redis.call('PTTL', KEYS[1])
  if before > tonumber(left) then left = before end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', left)
return 1)");
    return script;
}

void Tier::put(const CacheEntry& entry, Position position, bool alone) {
    if (stopped_ || position == 0 || entry.is_marker() || entry.by_hand()) return;
    // What must be validated before each use is of no use there.
    if (entry.freshness().no_cache || entry.softly_purged()) return;
    const TimePoint now = loop_.now();
    const std::int64_t left = left_ms(entry.freshness(), now);
    if (left <= 0) return;
    if (entry.body().size() > state_.max_object) return Counts::add(state_.counts.too_large);
    const BodyRef body = portable(entry, left);
    Record record;
    record.status = entry.status();
    record.position = position;
    record.received_ms = state_.positions.redis_ms(loop_.clock().wall()) -
                         milliseconds(now - entry.freshness().received);
    record.freshness = entry.freshness();
    record.key = entry.key();
    record.vary = entry.vary();
    entry.fields(record.fields);
    record.tags = entry.tags();
    add_parts(record, *body);
    if (record.received_ms < 0) return;
    const Over over = alone ? Over::anything : Over::older;
    const std::string name = name_of_key(state_.prefix, record.key);
    if (record.vary.empty()) {
        if (write(name, record, left, over)) index_tags(entry, name, left);
        return;
    }
    Record variants;
    variants.kind = Record::Kind::variants;
    variants.position = position;
    variants.received_ms = record.received_ms;
    variants.key = record.key;
    const std::string names = vary_names(record.vary);
    variants.vary = names;
    const std::string variant = name_of_variant(name, record.vary);
    // Others may live longer than this one; without it they are not found.
    const auto least = milliseconds(limits::tier_variants);
    write(name, variants, std::max(left, least), Over::names);
    if (write(variant, record, left, over)) index_tags(entry, variant, left);
}

void Tier::put_marker(const CacheKey& key, Position position) {
    if (stopped_ || position == 0) return;
    Record record;
    record.kind = Record::Kind::marker;
    record.position = position;
    record.received_ms = state_.positions.redis_ms(loop_.clock().wall());
    record.freshness.lifetime =
        static_cast<std::uint32_t>(std::chrono::seconds(limits::hit_for_miss).count());
    record.freshness.must_revalidate = true;
    record.key = key.text;
    const std::string name = name_of_key(state_.prefix, key.text);
    write(name, record, milliseconds(limits::hit_for_miss), Over::nothing);
}

/// False: not sent.
bool Tier::write(std::string_view name, const Record& record, std::int64_t left, Over over) {
    const std::string bytes = encode(record);
    if (bytes.empty()) return false;
    const std::string px = fmt::format("{}", left);
    const std::string_view keys[]{name};
    const std::string_view arguments[]{bytes, px};
    std::vector<std::string_view> words{"SET", name, bytes, "PX", px};
    if (over == Over::nothing) words.push_back("NX");
    const redis::Script* const script = over == Over::older   ? &put_script()
                                        : over == Over::names ? &names_script()
                                                              : nullptr;
    redis::Command command = script != nullptr ? redis::script_command(*script, keys, arguments)
                                               : redis::Command(redis::Command::Kind::write, words);
    const bool sent = client_.tell(std::move(command));
    Counts::add(sent ? state_.counts.writes : state_.counts.dropped);
    if (sent) Counts::add(state_.counts.bytes_written, bytes.size());
    return sent;
}

void Tier::index_tags(const CacheEntry& entry, std::string_view name, std::int64_t left) {
    const std::string now = fmt::format("{}", state_.positions.redis_ms(loop_.clock().wall()));
    const std::string span = fmt::format("{}", left);
    const std::string most = fmt::format("{}", limits::tier_tagged);
    entry.each_tag([&](std::string_view tag, std::size_t i) {
        if (i >= limits::tier_tags) return;
        const std::string set = name_of_tag(state_.prefix, tag);
        const std::string_view keys[]{set};
        const std::string_view arguments[]{name, now, span, most};
        if (!client_.tell(redis::script_command(tag_script(), keys, arguments)))
            Counts::add(state_.counts.dropped);
    });
}

// ---- leases

// A lease that somebody waits for has a mark behind its holder's token.
const redis::Script& Tier::take_script() {
    static const redis::Script script(R"(
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.status_reply('OK') end
redis.call('SETRANGE', KEYS[1], 16, 'w')
return false)");
    return script;
}

// Says it only where somebody waits: most cold keys of a fleet are one node's alone. Whoever may
// not publish gives it back all the same.
const redis::Script& Tier::return_script() {
    static const redis::Script script(R"(
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, 16) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if #held > 16 then redis.pcall('PUBLISH', ARGV[2], KEYS[1]) end
return 1)",
                                      redis::Command::Kind::master);
    return script;
}

Hash128 Tier::lease_digest(const CacheKey& key, std::string_view variant) const {
    return hash128(name_of_lease(name_of_key(state_.prefix, key.text), variant));
}

void Tier::return_lease(const CacheKey& key, std::string_view variant, std::uint64_t token) {
    if (stopped_) return;
    const std::string name = name_of_lease(name_of_key(state_.prefix, key.text), variant);
    const std::string word = fmt::format("{:016x}", token);
    const std::string_view keys[]{name};
    const std::string_view arguments[]{word, state_.freed};
    static_cast<void>(client_.tell(redis::script_command(return_script(), keys, arguments)));
}

// ---- dictionaries

// A body as others can read it: with a dictionary only if they find it for as long as the body.
BodyRef Tier::portable(const CacheEntry& entry, std::int64_t left) {
    BodyRef body = entry.body_ref();
    const DictionaryRef dictionary(body->dictionary());
    if (!dictionary) return body;
    const bool lasts = left <= milliseconds(limits::tier_with_dictionary);
    if (lasts) {
        using There = Dictionaries::There;
        const There there = state_.dictionaries.there(dictionary->name(), loop_.now());
        if (there != There::yes) say_dictionary(dictionary);
        if (there != There::no) return body;
    }
    char content[limits::dictionary_object];
    BodyPacker packer(config::Cache::Compression::lz4, "", "", nullptr);
    packer.append(body->read(0, content));
    return packer.finish();
}

void Tier::say_dictionary(const DictionaryRef& dictionary) {
    if (state_.dictionaries.begin(dictionary->name())) detach(write_dictionary(dictionary));
}

Task<void> Tier::write_dictionary(DictionaryRef dictionary) {
    const std::shared_ptr<bool> alive = alive_;
    TierState& state = state_;
    const TimePoint now = loop_.now();
    Record record;
    record.kind = Record::Kind::dictionary;
    const std::string_view text = dictionary->text();
    record.parts.push_back({text, false, static_cast<std::uint32_t>(text.size())});
    const std::string bytes = encode(record);
    const std::string name = name_of_dictionary(state.prefix, dictionary->name());
    const std::string px = fmt::format("{}", milliseconds(limits::tier_dictionary));
    redis::Command set = redis::Command::write({"SET", name, bytes, "PX", px});
    const Result<redis::Reply> reply = co_await client_.ask(std::move(set), now + limits::tier_ask);
    if (!*alive) co_return;
    state.dictionaries.said(dictionary, reply && reply->is_status("OK") ? now : TimePoint{});
    state.dictionaries.done(dictionary->name());
}

}  // namespace scrollgate::tier
