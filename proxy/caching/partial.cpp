#include "proxy/caching/partial.hpp"

#include <charconv>

#include "cache/rules/http_date.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

std::string_view decimal(Exchange& x, std::uint64_t value) {
    constexpr std::size_t digits = 20;
    char* const text = x.arena.take(digits);
    return {text, static_cast<std::size_t>(std::to_chars(text, text + digits, value).ptr - text)};
}

/// "bytes 0-9/100"
std::string_view content_range(Exchange& x, const ByteRange& range, std::uint64_t size) {
    return x.arena.join(
        {"bytes ", decimal(x, range.first), "-", decimal(x, range.last), "/", decimal(x, size)});
}

/// What no body can be expected to hold.
std::string_view make_boundary(Exchange& x) {
    constexpr char digits[] = "0123456789abcdef";
    constexpr std::size_t size = 32;
    char* const text = x.arena.take(size);
    for (std::size_t half = 0; half < 2; ++half) {
        std::uint64_t bits = x.worker.loop().rng().next();
        for (std::size_t i = 0; i < size / 2; ++i, bits >>= 4)
            text[half * (size / 2) + i] = digits[bits & 15];
    }
    return {text, size};
}

}  // namespace

std::int64_t wall_seconds(const Exchange& x) {
    return unix_seconds(x.worker.loop().clock().wall());
}

void make_not_modified(ResponseHead& head) {
    head.status = 304;
    head.reason = {};
    head.body = {};
    head.fields.remove_if([](const HeaderField& field) {
        return field.id == Field::content_type || field.id == Field::content_encoding ||
               field.id == Field::content_length || field.id == Field::content_range;
    });
}

void make_partial(Exchange& x, const ByteRange& range, std::uint64_t size) {
    ResponseHead& head = x.response;
    head.status = 206;
    head.reason = {};
    head.body = {BodyFraming::Kind::length, range.size()};
    head.fields.remove(Field::content_range);  // a 200 has no business with one
    head.fields.add(Field::content_range, content_range(x, range, size));
}

bool RangesBody::lease() noexcept {
    return body_.lease(x_.worker.loop());
}

void RangesBody::shape(const Ranges& ranges) {
    switch (ranges.kind) {
        case Ranges::Kind::whole:
            return;
        case Ranges::Kind::unsatisfiable:
            return make_unsatisfiable();
        case Ranges::Kind::partial:
            break;
    }
    if (ranges.ranges.size() > 1) return make_many(ranges.ranges);
    body_.only(ranges.ranges.front());
    make_partial(x_, ranges.ranges.front(), size_);
}

void RangesBody::make_unsatisfiable() {
    ResponseHead& head = x_.response;
    head.status = 416;
    head.reason = {};
    head.body = {BodyFraming::Kind::length, 0};
    head.fields.remove_if([](const HeaderField& field) { return field.id != Field::date; });
    head.fields.add(Field::content_range, x_.arena.join({"bytes */", decimal(x_, size_)}));
    empty_ = true;
}

void RangesBody::make_many(const std::vector<ByteRange>& ranges) {
    ResponseHead& head = x_.response;
    Arena& arena = x_.arena;
    const std::string_view type = head.fields.value(Field::content_type);
    const std::string_view boundary = make_boundary(x_);
    const std::string_view named = type.empty() ? std::string_view() : "\r\nContent-Type: ";
    std::uint64_t length = 0;
    for (const ByteRange& range : ranges) {
        const std::string_view open = separators_.empty() ? "--" : "\r\n--";
        separators_.push_back(arena.join({open, boundary, named, type, "\r\nContent-Range: ",
                                          content_range(x_, range, size_), "\r\n\r\n"}));
        length += separators_.back().size() + range.size();
    }
    separators_.push_back(arena.join({"\r\n--", boundary, "--\r\n"}));
    parts_ = ranges;
    head.status = 206;
    head.reason = {};
    head.body = {BodyFraming::Kind::length, length + separators_.back().size()};
    head.fields.remove(Field::content_type);
    head.fields.remove(Field::content_range);
    head.fields.add(Field::content_type, arena.join({"multipart/byteranges; boundary=", boundary}));
}

BodyChunk RangesBody::next() {
    BodyChunk chunk;
    if (empty_) {
        chunk.end = true;
    } else {
        chunk = parts_.empty() ? body_.next() : next_of_many();
    }
    ended_ = chunk.end;
    return chunk;
}

BodyChunk RangesBody::next_of_many() {
    if (within_) {
        BodyChunk chunk = body_.next();
        within_ = !chunk.end;
        chunk.end = false;
        return chunk;
    }
    const std::string_view separator = separators_[part_];
    const bool last = part_ == parts_.size();
    if (!last) body_.only(parts_[part_++]);
    within_ = !last;
    return {separator, last, nullptr};
}

}  // namespace scrollgate
