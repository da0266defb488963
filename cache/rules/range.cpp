// Range requests: which bytes of the whole are meant (RFC 9110 section 14).
#include <algorithm>
#include <limits>
#include <optional>

#include "cache/rules/conditional.hpp"
#include "cache/rules/entity_tag.hpp"
#include "cache/rules/http_date.hpp"

namespace scrollgate {
namespace {

constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

/// Digits, and nothing else; what is too large counts as `endless`.
std::optional<std::uint64_t> parse_position(std::string_view text) noexcept {
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        value = value > (endless - digit) / 10 ? endless : value * 10 + digit;
    }
    return value;
}

/// One range-spec, as it was written.
struct Spec {
    std::uint64_t first = 0, last = 0;
    bool suffix = false;  ///< the last `last` bytes
};

/// Nothing: malformed (14.1.1).
std::optional<Spec> parse_spec(std::string_view text) noexcept {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const std::string_view behind = text.substr(dash + 1);
    if (dash == 0) {
        const auto length = parse_position(behind);
        if (!length) return std::nullopt;
        return Spec{0, *length, true};
    }
    const auto first = parse_position(text.substr(0, dash));
    const auto last = behind.empty() ? endless : parse_position(behind);
    if (!first || !last || *last < *first) return std::nullopt;
    return Spec{*first, *last, false};
}

/// Nothing: not satisfiable (14.1.2). `size` is not 0.
std::optional<ByteRange> within(const Spec& spec, std::uint64_t size) noexcept {
    if (spec.suffix) {
        if (spec.last == 0) return std::nullopt;
        return ByteRange{size - std::min(spec.last, size), size - 1};
    }
    if (spec.first >= size) return std::nullopt;
    return ByteRange{spec.first, std::min(spec.last, size - 1)};
}

bool any_overlap(const std::vector<ByteRange>& sorted) noexcept {
    return std::adjacent_find(sorted.begin(), sorted.end(),
                              [](const ByteRange& a, const ByteRange& b) {
                                  return b.first <= a.last;
                              }) != sorted.end();
}

/// Ranges that overlap are joined, and then those that touch, too; otherwise all stay as the
/// client has ordered them.
void join_overlapping(std::vector<ByteRange>& ranges) {
    std::vector<ByteRange> sorted = ranges;
    std::sort(sorted.begin(), sorted.end(),
              [](const ByteRange& a, const ByteRange& b) { return a.first < b.first; });
    if (!any_overlap(sorted)) return;
    ranges.clear();
    for (const ByteRange& range : sorted) {
        if (ranges.empty() || range.first > ranges.back().last + 1) {
            ranges.push_back(range);
        } else {
            ranges.back().last = std::max(ranges.back().last, range.last);
        }
    }
}

/// If-Range (13.1.5): a tag is compared strongly; a date must be that of Last-Modified, which is
/// strong if the response was sent at least a second later (8.8.2.2).
bool still_same(const HeaderList& request, const HeaderList& stored, std::int64_t now) noexcept {
    if (request.count(Field::if_range) > 1) return false;
    const HeaderField* const condition = request.find(Field::if_range);
    if (condition == nullptr) return true;
    const EntityTag wanted = make_entity_tag(condition->value);
    if (wanted.weak || wanted.opaque.starts_with('"')) {
        return strongly_equal(wanted, make_entity_tag(stored.value(Field::etag)));
    }
    const auto date = parse_http_date(condition->value, now);
    const auto modified = parse_http_date(stored.value(Field::last_modified), now);
    const auto sent = parse_http_date(stored.value(Field::date), now);
    return date && modified && sent && *date == *modified && *modified < *sent;
}

}  // namespace

Ranges judge_range(const RequestHead& request, const HeaderList& stored, std::uint64_t size,
                   std::int64_t now) {
    constexpr std::string_view unit = "bytes=";
    Ranges out;
    const HeaderField* const field = request.fields.find(Field::range);
    if (field == nullptr || request.method != Method::get) return out;
    if (request.fields.count(Field::range) != 1) return out;
    std::string_view rest = field->value;
    if (!equal_no_case(rest.substr(0, unit.size()), unit)) return out;
    if (!still_same(request.fields, stored, now)) return out;
    rest.remove_prefix(unit.size());

    std::size_t specs = 0;
    bool whole = false;
    std::vector<ByteRange> ranges;
    while (!rest.empty()) {
        const std::string_view text = pop_first_in_list(rest);
        if (text.empty()) continue;
        const auto spec = parse_spec(text);
        if (!spec || ++specs > limits::cache_ranges) return out;
        whole = whole || (size == 0 && spec->suffix && spec->last > 0);  // all of nothing
        const auto range = size != 0 ? within(*spec, size) : std::nullopt;
        if (range) ranges.push_back(*range);
    }
    if (specs == 0 || whole) return out;
    join_overlapping(ranges);
    out.kind = ranges.empty() ? Ranges::Kind::unsatisfiable : Ranges::Kind::partial;
    out.ranges = std::move(ranges);
    return out;
}

}  // namespace scrollgate
