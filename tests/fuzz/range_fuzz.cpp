// Fuzz target: judge_range, against a reader of its own that asks of each byte whether some range
// holds it; and the list of If-None-Match. The first byte is the size, the second whether the rest
// is a Range or an If-None-Match.
#include <algorithm>
#include <string>
#include <vector>

#include "cache/rules/conditional.hpp"
#include "core/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace scrollgate;
using scrollgate::fuzz::require;

namespace {

constexpr std::int64_t vastness = 1'000'000;

/// Digits as a number, at most `vastness`; -1: no digits.
std::int64_t number(std::string_view text) {
    if (text.empty()) return -1;
    std::int64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return -1;
        value = std::min<std::int64_t>(value * 10 + (c - '0'), vastness);
    }
    return value;
}

/// Compares lengths first, for numbers beyond any type.
bool is_less(std::string_view a, std::string_view b) {
    while (a.size() > 1 && a.front() == '0')
        a.remove_prefix(1);
    while (b.size() > 1 && b.front() == '0')
        b.remove_prefix(1);
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

struct Naive {
    bool ignored = false;
    bool vast = false;  ///< both ends are beyond all sizes: nobody cares which is first
    std::size_t specs = 0;
    std::vector<bool> held;
};

void mark(Naive& out, std::string_view first, std::string_view last) {
    const auto size = static_cast<std::int64_t>(out.held.size());
    std::int64_t from = number(first);
    std::int64_t to = number(last);
    out.vast = out.vast || (from >= vastness && to >= vastness);
    if (first.empty() && to >= 0) {
        from = std::max<std::int64_t>(size - to, 0);
        to = size - 1;
    } else if (from < 0 || (to < 0 && !last.empty()) || (to >= 0 && is_less(last, first))) {
        out.ignored = true;
        return;
    } else if (last.empty()) {
        to = size - 1;
    }
    for (std::int64_t i = from; i <= to && i < size; ++i)
        out.held[static_cast<std::size_t>(i)] = true;
}

Naive read_naively(std::string_view value, std::size_t size) {
    Naive out;
    out.held.assign(size, false);
    if (value.size() < 6 || !equal_no_case(value.substr(0, 6), "bytes=")) {
        out.ignored = true;
        return out;
    }
    std::string_view rest = value.substr(6);
    while (!rest.empty()) {
        const std::string_view spec = pop_first_in_list(rest);
        if (spec.empty()) continue;
        ++out.specs;
        const std::size_t dash = spec.find('-');
        if (dash == std::string_view::npos || spec == "-") {
            out.ignored = true;
            continue;
        }
        mark(out, spec.substr(0, dash), spec.substr(dash + 1));
    }
    out.ignored = out.ignored || out.specs == 0 || out.specs > limits::cache_ranges;
    return out;
}

void check_range(std::string_view value, std::size_t size) {
    RequestHead request;
    request.fields.add(Field::range, trim(value));
    const Ranges ranges = judge_range(request, {}, size, 0);
    const Naive naive = read_naively(trim(value), size);
    require((ranges.kind == Ranges::Kind::partial) == !ranges.ranges.empty(), "206 has ranges");
    require(ranges.ranges.size() <= limits::cache_ranges, "ranges are bounded");
    if (naive.vast) return;
    if (naive.ignored) {
        require(ranges.kind == Ranges::Kind::whole, "what is malformed is ignored");
        return;
    }
    require(ranges.kind != Ranges::Kind::whole || size == 0, "what is well formed is obeyed");
    std::vector<bool> held(size, false);
    for (const ByteRange& range : ranges.ranges) {
        require(range.first <= range.last && range.last < size, "ranges are inside");
        for (std::uint64_t i = range.first; i <= range.last; ++i) {
            require(!held[static_cast<std::size_t>(i)], "no byte is sent twice");
            held[static_cast<std::size_t>(i)] = true;
        }
    }
    require(held == naive.held, "each byte that was asked for is sent, and no other");
}

void check_tags(std::string_view value) {
    HeaderList stored;
    stored.add(Field::etag, "\"stored\"");
    HeaderList request;
    request.add(Field::if_none_match, trim(value));
    const Condition alone = judge_condition(request, stored, 0);
    require(alone != Condition::none, "a list is a condition");
    const bool named = value.find("\"stored\"") != std::string_view::npos;
    require(alone == Condition::holds || named || trim(value) == "*", "only our tag matches");
    request.add(Field::if_none_match, "W/\"stored\"");
    require(judge_condition(request, stored, 0) == Condition::not_modified, "any line counts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = scrollgate::fuzz::as_text(data, size);
    const std::size_t stored = scrollgate::fuzz::take_byte(input);
    if (scrollgate::fuzz::take_byte(input) % 4 == 0) {
        check_tags(input);
    } else {
        check_range(input, stored);
    }
    return 0;
}
