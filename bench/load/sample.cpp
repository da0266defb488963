#include "bench/load/sample.hpp"

#include "core/text.hpp"

namespace scrollgate::bench {

std::string_view name_of(CacheResult result) noexcept {
    constexpr std::string_view names[] = {"none", "hit", "stale", "miss", "bypass"};
    static_assert(std::size(names) == cache_results);
    return names[static_cast<std::size_t>(result)];
}

std::string_view name_of(Failure failure) noexcept {
    constexpr std::string_view names[] = {
        "refused",      "connect_timeout", "connect_failed", "tls",       "reset",
        "closed",       "truncated",       "timeout",        "malformed", "unexpected_status",
        "wrong_length", "wrong_body"};
    static_assert(std::size(names) == failures);
    return names[static_cast<std::size_t>(failure)];
}

// Parameters are looked at by their names alone; a cache whose name holds a comma or a semicolon in
// quotes is misread, which costs a column in a table.
CacheResult cache_result_from(std::string_view cache_status) noexcept {
    std::string_view list = cache_status;
    std::string_view rest = pop_last_in_list(list);
    bool hit = false, expired = false;
    std::string_view forwarded;
    while (!rest.empty()) {
        const std::size_t end = rest.find(';');
        const std::string_view parameter = trim(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        hit = hit || parameter == "hit";
        expired = expired || parameter.starts_with("ttl=-");
        if (parameter.starts_with("fwd=")) forwarded = parameter.substr(4);
    }
    if (hit) return expired ? CacheResult::stale : CacheResult::hit;
    if (forwarded == "stale" || forwarded.ends_with("miss")) return CacheResult::miss;
    return forwarded.empty() ? CacheResult::none : CacheResult::bypass;
}

}  // namespace scrollgate::bench
