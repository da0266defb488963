#include "proxy/caching/cache_status.hpp"

#include <algorithm>
#include <charconv>

namespace scrollgate {
namespace {

/// A line that is cut where its room ends.
class Line {
  public:
    Line(char* at, std::size_t room) noexcept : begin_(at), at_(at), end_(at + room) {}

    void put(std::string_view text) noexcept {
        at_ += text.copy(at_, static_cast<std::size_t>(end_ - at_));
    }
    void put(std::int64_t value) noexcept { at_ = std::to_chars(at_, end_, value).ptr; }
    [[nodiscard]] std::string_view text() const noexcept {
        return {begin_, static_cast<std::size_t>(at_ - begin_)};
    }

  private:
    char* const begin_;
    char* at_;
    char* const end_;
};

constexpr std::size_t longest = 160;  // every parameter at once, with the longest tokens

bool is_bypass(CacheReason reason) noexcept {
    return forward_token(reason) == "bypass" || reason == CacheReason::method;
}

/// Why the answer is what it is, if that needs saying.
std::string_view detail_of(const CacheDecision& decision) noexcept {
    if (!decision.detail.empty()) return decision.detail;
    if (forward_token(decision.reason) == "bypass") return token(decision.reason);
    if (decision.storing != CacheReason::none) return token(decision.storing);
    return {};
}

}  // namespace

std::string_view forward_token(CacheReason reason) noexcept {
    switch (reason) {
        case CacheReason::method:
            return "method";
        case CacheReason::absent:
            return "miss";
        case CacheReason::other_variant:
            return "vary-miss";
        case CacheReason::expired:
        case CacheReason::must_validate:
        case CacheReason::purged:
            return "stale";
        case CacheReason::request_no_cache:
        case CacheReason::request_max_age:
        case CacheReason::request_no_store:
            return "request";
        default:
            return "bypass";
    }
}

CacheResult result_of(const CacheDecision& decision) noexcept {
    if (!decision.detail.empty()) return CacheResult::stale;
    if (decision.asked) return is_bypass(decision.reason) ? CacheResult::pass : CacheResult::miss;
    return decision.reuse.kind == Reuse::Kind::stale ? CacheResult::stale : CacheResult::hit;
}

std::string_view cache_status(Exchange& x) {
    const CacheDecision& decision = x.cache;
    Line line(x.arena.take(longest), longest);
    line.put("scrollgate; ");
    if (!decision.asked) {
        line.put("hit; ttl=");
        line.put(decision.reuse.ttl);
        if (decision.tier) line.put("; detail=redis");
        return line.text();
    }
    line.put("fwd=");
    line.put(forward_token(decision.reason));
    if (decision.forward_status != 0) {
        line.put("; fwd-status=");
        line.put(std::int64_t{decision.forward_status});
    }
    if (decision.stored) line.put("; stored");
    if (decision.collapsed) line.put("; collapsed");
    if (decision.entry) {
        line.put("; ttl=");
        line.put(decision.reuse.ttl);
    }
    if (const std::string_view detail = detail_of(decision); !detail.empty()) {
        line.put("; detail=");
        line.put(detail);
    }
    return line.text();
}

void add_cache_status(Exchange& x, HeaderList& fields) {
    x.record.cache = result_of(x.cache);
    x.record.collapsed = x.cache.collapsed;
    x.record.cache_status = cache_status(x);
    fields.add(Field::cache_status, x.record.cache_status);
}

void add_age(Exchange& x, HeaderList& fields, std::int64_t seconds) {
    constexpr std::size_t digits = 20;
    char* const text = x.arena.take(digits);
    const std::int64_t age = std::max<std::int64_t>(seconds, 0);
    const std::to_chars_result end = std::to_chars(text, text + digits, age);
    fields.add(Field::age, std::string_view(text, static_cast<std::size_t>(end.ptr - text)));
}

}  // namespace scrollgate
