#include "proxy/pipeline/affinity.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "balancer/hash.hpp"
#include "config/scalars.hpp"
#include "core/field.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
    while (text.starts_with(' ') || text.starts_with('\t'))
        text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t'))
        text.remove_suffix(1);
    return text;
}

/// The value of `name` in "a=1<separator>b=2"; empty if it is not there.
std::string_view pair_value(std::string_view pairs, char separator, std::string_view name) {
    while (!pairs.empty()) {
        const std::size_t end = std::min(pairs.find(separator), pairs.size());
        const std::string_view pair = trimmed(pairs.substr(0, end));
        pairs.remove_prefix(std::min(end + 1, pairs.size()));
        if (pair.size() > name.size() && pair[name.size()] == '=' && pair.starts_with(name)) {
            return pair.substr(name.size() + 1);
        }
    }
    return {};
}

/// A client may send several Cookie fields over HTTP/2 (RFC 9113 section 8.2.3).
std::string_view cookie(const Exchange& x, std::string_view name) {
    for (const HeaderField& field : x.request.fields) {
        if (field.id != Field::cookie) continue;
        const std::string_view value = pair_value(field.value, ';', name);
        if (!value.empty()) return value;
    }
    return {};
}

std::string_view key_of(const Exchange& x, const config::HashKey& key) {
    using Source = config::HashKey::Source;
    switch (key.source) {
        case Source::client:
            return x.record.client;
        case Source::header: {
            const HeaderField* field = x.request.fields.find(key.name);
            return field != nullptr ? field->value : std::string_view{};
        }
        case Source::cookie:
            return cookie(x, key.name);
        case Source::path:
            return x.target.substr(0, x.target.find('?'));
        case Source::query:
            return pair_value(x.request.query, '&', key.name);
    }
    return {};
}

/// A host is the same however it is written (RFC 9110 4.2.3); other keys are as they are.
std::uint64_t hash_of(std::string_view text, const config::HashKey& key) {
    const bool is_host =
        key.source == config::HashKey::Source::header && equal_no_case(key.name, "host");
    return std::max<std::uint64_t>(
        is_host ? hash_text(config::in_lower_case(std::string(text))) : hash_text(text), 1);
}

std::uint64_t tag_from(std::string_view text) noexcept {
    std::uint64_t tag = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, tag, 16);
    return read.ec == std::errc{} && read.ptr == end ? tag : 0;
}

}  // namespace

Affinity affinity_of(const Exchange& x) {
    const config::Route& route = *x.route->route;
    Affinity found;
    if (route.balance == config::Route::Balance::consistent_hash) {
        const std::string_view key = key_of(x, route.hash);
        if (!key.empty()) found.hash = hash_of(key, route.hash);
    }
    if (route.sticky) found.tag = tag_from(cookie(x, route.sticky->cookie));
    return found;
}

namespace {

/// The client's scheme as the origin was told it: X-Forwarded-Proto, which prepare_fields() has
/// made true.
bool is_secure(const Exchange& x, const config::Sticky& sticky) {
    using Secure = config::Sticky::Secure;
    if (sticky.secure != Secure::automatic) return sticky.secure == Secure::on;
    return equal_no_case(x.request.fields.value(Field::x_forwarded_proto), "https");
}

}  // namespace

void set_sticky_cookie(Exchange& x) {
    if (x.route == nullptr || !x.route->route->sticky || x.record.endpoint == nullptr) return;
    const std::uint64_t tag = x.record.endpoint->state->tag;
    // Nor is an error worth a move: while all fail, a session keeps the home that it had.
    if (tag == x.affinity.tag || x.response.status >= 500) return;
    const config::Sticky& sticky = *x.route->route->sticky;
    fmt::basic_memory_buffer<char, 128> value;
    fmt::format_to(std::back_inserter(value), "{}={:016x}; Path=/; HttpOnly; SameSite=Lax",
                   sticky.cookie, tag);
    if (is_secure(x, sticky)) fmt::format_to(std::back_inserter(value), "; Secure");
    if (sticky.ttl != no_limit) {
        fmt::format_to(std::back_inserter(value), "; Max-Age={}",
                       std::chrono::duration_cast<std::chrono::seconds>(sticky.ttl).count());
    }
    x.response.fields.add(Field::set_cookie,
                          x.arena.join({std::string_view(value.data(), value.size())}));
}

}  // namespace scrollgate
