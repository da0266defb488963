#include "cache/tier/record.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <xxhash.h>  // compiled in: XXH_INLINE_ALL

#include "core/limits.hpp"

namespace scrollgate::tier {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

constexpr std::string_view magic = "SGr";
constexpr std::uint8_t version = 1;
constexpr std::uint32_t compressed_bit = 1U << 31;

/// The fixed part, as it stands at the beginning.
struct Head {
    char mark[3];
    std::uint8_t version;
    std::uint8_t kind;
    std::uint8_t flags;
    std::uint16_t status;
    std::uint64_t checksum;  ///< of all else
    std::uint64_t position;
    std::int64_t received_ms;
    std::uint32_t initial_age, lifetime, while_revalidate, if_error, took_ms;
    std::uint32_t whole;  ///< bytes of the record
    std::uint64_t dictionary_high, dictionary_low;
    std::uint16_t key, vary, fields, tags;  ///< bytes, bytes, how many, how many
    std::uint32_t parts;                    ///< how many
    std::uint32_t zero;
};
static_assert(sizeof(Head) == 88);
constexpr std::size_t checksum_at = 8;

enum Flag : std::uint8_t {
    must_revalidate = 1,
    no_cache = 2,
    heuristic = 4,
    immutable_ = 8,
    has_validator = 16,
    all_flags = 31,
};

std::uint8_t flags_of(const Freshness& from) noexcept {
    unsigned flags = 0;
    if (from.must_revalidate) flags |= must_revalidate;
    if (from.no_cache) flags |= no_cache;
    if (from.heuristic) flags |= heuristic;
    if (from.immutable) flags |= immutable_;
    if (from.has_validator) flags |= has_validator;
    return static_cast<std::uint8_t>(flags);
}

void take_flags(Freshness& into, unsigned flags) noexcept {
    into.must_revalidate = (flags & must_revalidate) != 0;
    into.no_cache = (flags & no_cache) != 0;
    into.heuristic = (flags & heuristic) != 0;
    into.immutable = (flags & immutable_) != 0;
    into.has_validator = (flags & has_validator) != 0;
}

std::uint64_t checksum_of(std::string_view bytes) noexcept {
    std::uint64_t front = 0;
    std::memcpy(&front, bytes.data(), sizeof front);
    const std::string_view rest = bytes.substr(checksum_at + sizeof front);
    return XXH3_64bits_withSeed(rest.data(), rest.size(), front);
}

// ---- writing

template <class T>
void put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint16_t>(text.size()));
    out.append(text);
}

std::size_t size_of(const Record& record) noexcept {
    std::size_t size = sizeof(Head) + record.key.size() + record.vary.size();
    for (const HeaderField& field : record.fields)
        size += 2 * sizeof(std::uint16_t) + field.name.size() + field.value.size();
    for (const std::string_view tag : record.tags)
        size += sizeof(std::uint16_t) + tag.size();
    for (const StoredBody::Part& part : record.parts)
        size += sizeof(std::uint32_t) * 2 + part.bytes.size();
    return size;
}

// ---- reading

/// Takes from the front of what is left; whatever is not there makes it fail for good.
class Reader {
  public:
    explicit Reader(std::string_view bytes) noexcept : rest_(bytes) {}

    std::string_view take(std::size_t size) noexcept {
        if (size > rest_.size()) ok_ = false;
        if (!ok_) return {};
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    template <class T>
    T number() noexcept {
        T value = 0;
        const std::string_view bytes = take(sizeof value);
        if (ok_) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    std::string_view text() noexcept { return take(number<std::uint16_t>()); }
    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool at_end() const noexcept { return ok_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool ok_ = true;
};

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        constexpr std::string_view others = "!#$%&'*+-.^_`|~";
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               others.find(c) != std::string_view::npos;
    });
}

/// Field content: no control characters but tabs (RFC 9110 section 5.5).
bool is_value(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    });
}

/// What frames a message, or is each exchange's own: no stored response has it.
bool is_stored(Field id) noexcept {
    return id != Field::content_length && id != Field::transfer_encoding &&
           id != Field::connection && id != Field::upgrade && id != Field::age &&
           id != Field::cache_status && id != Field::via && id != Field::x_request_id;
}

/// Lines as append_vary() makes them; with `bare`, of names alone.
bool are_vary_lines(std::string_view lines, bool bare) noexcept {
    while (!lines.empty()) {
        const std::size_t end = lines.find('\n');
        if (end == std::string_view::npos) return false;
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(end + 1);
        const std::size_t colon = line.find(':');
        if (!is_token(line.substr(0, colon))) return false;
        if (colon == std::string_view::npos) continue;
        if (bare || line.size() < colon + 2 || line[colon + 1] != ' ') return false;
        if (!is_value(line.substr(colon + 2))) return false;
    }
    return true;
}

bool take_fields(Reader& reader, std::size_t count, HeaderList& into) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const std::string_view name = reader.text();
        const std::string_view value = reader.text();
        size += name.size() + value.size() + 4;
        if (!is_token(name) || !is_value(value) || size > limits::cache_fields) return false;
        into.add(name, value);
        if (!is_stored(into[into.size() - 1].id)) return false;
    }
    return reader.ok();
}

bool take_tags(Reader& reader, std::size_t count, std::vector<std::string_view>& into) {
    if (count > limits::cache_tags) return false;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        into.push_back(reader.text());
        if (into.back().empty() || into.back().size() > limits::cache_tag_bytes) return false;
    }
    return reader.ok();
}

bool take_parts(Reader& reader, std::size_t count, std::vector<StoredBody::Part>& into) {
    if (count > limits::redis_object_max / limits::cache_block + 1) return false;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const auto content = reader.number<std::uint32_t>();
        const auto stored = reader.number<std::uint32_t>();
        if (content > limits::cache_block) return false;
        into.push_back(
            {reader.take(stored & ~compressed_bit), (stored & compressed_bit) != 0, content});
    }
    return reader.ok();
}

/// What each kind must have, and must not.
bool is_whole(const Record& record) noexcept {
    const bool plain = record.fields.empty() && record.tags.empty() && !record.needs_dictionary();
    const bool no_body = record.parts.empty();
    switch (record.kind) {
        case Record::Kind::response:
            return !record.key.empty() && record.status >= 200 && record.status <= 599;
        case Record::Kind::marker:
            return !record.key.empty() && plain && no_body;
        case Record::Kind::variants:
            return !record.key.empty() && plain && no_body && !record.vary.empty();
        case Record::Kind::dictionary:
            return record.key.empty() && plain && record.vary.empty() && record.parts.size() == 1 &&
                   !record.parts.front().compressed &&
                   record.parts.front().bytes.size() <= limits::dictionary;
    }
    return false;
}

bool take_head(const Head& head, Record& into) noexcept {
    into.kind = static_cast<Record::Kind>(head.kind);
    into.status = head.status;
    into.position = head.position;
    into.received_ms = head.received_ms;
    Freshness& freshness = into.freshness;
    freshness.initial_age = head.initial_age;
    freshness.lifetime = head.lifetime;
    freshness.while_revalidate = head.while_revalidate;
    freshness.if_error = head.if_error;
    freshness.took_ms = head.took_ms;
    take_flags(freshness, head.flags);
    into.dictionary = {head.dictionary_high, head.dictionary_low};
    const std::uint32_t longest =
        std::max({head.initial_age, head.lifetime, head.while_revalidate, head.if_error});
    return longest <= limits::cache_ttl_most && (head.flags & ~unsigned{all_flags}) == 0 &&
           head.zero == 0 && head.received_ms >= 0;
}

}  // namespace

void Record::clear() {
    fields.clear();
    tags.clear();
    parts.clear();
    key = vary = {};
    dictionary = {};
    freshness = {};
}

std::string_view token(Unreadable why) noexcept {
    switch (why) {
        case Unreadable::no:
            return "no";
        case Unreadable::foreign:
            return "foreign";
        case Unreadable::version:
            return "version";
        case Unreadable::cut:
            return "cut";
        case Unreadable::broken:
            return "broken";
    }
    return "broken";
}

std::string encode(const Record& record) {
    const std::size_t size = size_of(record);
    if (size > limits::redis_object_max + limits::MiB) return {};
    Head head{};
    magic.copy(head.mark, magic.size());
    head.version = version;
    head.kind = static_cast<std::uint8_t>(record.kind);
    head.flags = flags_of(record.freshness);
    head.status = record.status;
    head.position = record.position;
    head.received_ms = record.received_ms;
    head.initial_age = record.freshness.initial_age;
    head.lifetime = record.freshness.lifetime;
    head.while_revalidate = record.freshness.while_revalidate;
    head.if_error = record.freshness.if_error;
    head.took_ms = record.freshness.took_ms;
    head.whole = static_cast<std::uint32_t>(size);
    head.dictionary_high = record.dictionary.high;
    head.dictionary_low = record.dictionary.low;
    head.key = static_cast<std::uint16_t>(record.key.size());
    head.vary = static_cast<std::uint16_t>(record.vary.size());
    head.fields = static_cast<std::uint16_t>(record.fields.size());
    head.tags = static_cast<std::uint16_t>(record.tags.size());
    head.parts = static_cast<std::uint32_t>(record.parts.size());
    std::string out;
    out.reserve(size);
    put(out, head);
    out.append(record.key).append(record.vary);
    for (const HeaderField& field : record.fields) {
        put_text(out, field.name);
        put_text(out, field.value);
    }
    for (const std::string_view tag : record.tags)
        put_text(out, tag);
    for (const StoredBody::Part& part : record.parts) {
        put(out, part.content);
        put(out, static_cast<std::uint32_t>(part.bytes.size()) |
                     (part.compressed ? compressed_bit : 0U));
        out.append(part.bytes);
    }
    const std::uint64_t checksum = checksum_of(out);
    std::memcpy(out.data() + checksum_at, &checksum, sizeof checksum);
    return out;
}

Unreadable decode(std::string_view bytes, Record& into) {
    into.clear();
    if (!bytes.starts_with(magic)) return Unreadable::foreign;
    if (bytes.size() < sizeof(Head)) return Unreadable::cut;
    Head head;
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.version != version) return Unreadable::version;
    if (head.whole != bytes.size()) return Unreadable::cut;
    if (head.checksum != checksum_of(bytes)) return Unreadable::broken;
    if (!take_head(head, into)) return Unreadable::broken;
    Reader reader(bytes.substr(sizeof head));
    into.key = reader.take(head.key);
    into.vary = reader.take(head.vary);
    const bool bare = into.kind == Record::Kind::variants;
    const bool good =
        into.key.size() <= limits::cache_key && are_vary_lines(into.vary, bare) &&
        take_fields(reader, head.fields, into.fields) && take_tags(reader, head.tags, into.tags) &&
        take_parts(reader, head.parts, into.parts) && reader.at_end() && is_whole(into);
    return good ? Unreadable::no : Unreadable::broken;
}

}  // namespace scrollgate::tier
