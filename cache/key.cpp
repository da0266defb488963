// Cache keys: their text, their hash, and what of a target counts.
#include "cache/key.hpp"

#include <algorithm>
#include <array>

#include <xxhash.h>  // compiled in: XXH_INLINE_ALL

#include "cache/rules/selecting.hpp"
#include "cache/store/key_place.hpp"
#include "core/http1/bytes.hpp"
#include "core/limits.hpp"
#include "core/percent.hpp"
#include "core/rng.hpp"
#include "core/text.hpp"

namespace scrollgate {
namespace {

/// Drawn once per process. The secret saves long texts from deriving it anew each time.
struct HashSeed {
    std::uint64_t seed = random_seed();
    std::array<unsigned char, XXH3_SECRET_DEFAULT_SIZE> secret{};

    HashSeed() { XXH3_generateSecret_fromSeed(secret.data(), seed); }
};

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool is_lower(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// Is canonical as it is, as nearly all are: a name in lower case, no port.
bool is_plain_name(std::string_view authority) noexcept {
    return !authority.empty() && authority.back() != '.' &&
           std::all_of(authority.begin(), authority.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
           });
}

struct Authority {
    std::string_view host, port;  ///< without the colon; port empty: the default
};

/// Where the port's colon stands; npos: nowhere.
std::size_t port_colon(std::string_view authority) noexcept {
    if (!authority.starts_with('[')) return authority.find(':');
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bracket;
    return authority.find(':', bracket);
}

/// Nothing: not host and port.
std::optional<Authority> split_authority(std::string_view scheme, std::string_view text) noexcept {
    if (text.find_first_of("@/?#\\ \t\r\n") != std::string_view::npos) return std::nullopt;
    const std::size_t colon = port_colon(text);
    Authority parts{text.substr(0, colon), {}};
    if (colon != std::string_view::npos) parts.port = text.substr(colon + 1);
    if (parts.port.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    parts.port.remove_prefix(std::min(parts.port.find_first_not_of('0'), parts.port.size()));
    if (parts.port == (equal_no_case(scheme, "https") ? "443" : "80")) parts.port = {};
    if (parts.host.ends_with('.')) parts.host.remove_suffix(1);
    const bool literal = parts.host.starts_with('[');
    if (parts.host.empty() || literal != parts.host.ends_with(']')) return std::nullopt;
    return parts;
}

/// Takes one char off a name in a query or of a cookie, decoded as origins do; what is no escape
/// stays.
char pop_decoded(std::string_view& name) noexcept {
    const char c = name.front();
    if (const int byte = c == '%' ? escape_at(name, 0) : -1; byte >= 0) {
        name.remove_prefix(3);
        return static_cast<char>(byte);
    }
    name.remove_prefix(1);
    return c == '+' ? ' ' : c;
}

/// `rule` is a name, or "prefix*".
bool rule_matches(std::string_view rule, std::string_view name) noexcept {
    const bool prefix = rule.ends_with('*');
    if (prefix) rule.remove_suffix(1);
    for (const char c : rule) {
        if (name.empty() || pop_decoded(name) != c) return false;
    }
    return prefix || name.empty();
}

bool is_ignored(std::string_view parameter, const config::CacheKeyRules& rules) noexcept {
    const std::string_view name = parameter.substr(0, parameter.find('='));
    return std::any_of(rules.ignore_query.begin(), rules.ignore_query.end(),
                       [name](const std::string& rule) { return rule_matches(rule, name); });
}

std::string_view pop_parameter(std::string_view& query) noexcept {
    const std::size_t end = query.find('&');
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    return parameter;
}

void append_header(std::string& text, const std::string& name, const HeaderList& request) {
    text += '\n';
    text += name;
    append_selecting_value(text, name, request);
}

/// Whether some origin reads a cookie that is called `written` as `name`: ASP.NET in whatever case,
/// PHP with '_' for what its variables cannot have.
bool is_read_as(std::string_view written, std::string_view name) noexcept {
    constexpr std::string_view replaced = ". [";
    return std::equal(
        written.begin(), written.end(), name.begin(), name.end(), [&](char a, char b) {
            return lower(a) == lower(b) || (b == '_' && replaced.find(a) != replaced.npos);
        });
}

/// `name` as those read it who trim most: up to the first and from the last byte that a name may
/// have. Blanks of Unicode, which JavaScript's trim() takes, are several bytes or one of Latin-1.
std::string_view core_of(std::string_view name) noexcept {
    const auto is_edge = [](char c) { return !http1::is_token({&c, 1}); };
    while (!name.empty() && is_edge(name.front()))
        name.remove_prefix(1);
    while (!name.empty() && is_edge(name.back()))
        name.remove_suffix(1);
    return name;
}

/// The same by those who decode names first, as PHP 7.3 and Rack 2.1 did.
bool is_decoded_as(std::string_view written, std::string_view name) {
    if (written.find_first_of("%+") == std::string_view::npos) return false;
    std::string plain;
    while (!written.empty())
        plain += pop_decoded(written);
    return is_read_as(core_of(plain), name);
}

/// Whether some origin finds a cookie of this name in what stands between two semicolons. RFC 2109
/// allowed commas between cookies.
bool may_hold(std::string_view pair, std::string_view name) {
    while (!pair.empty()) {
        const std::string_view cookie = pop_first_in_list(pair);
        const std::string_view written = cookie.substr(0, cookie.find('='));
        if (is_read_as(core_of(written), name) || is_decoded_as(written, name)) return true;
    }
    return false;
}

/// Every cookie of this name counts, however it is spelled: origins differ in which of two they
/// read.
void append_cookie(std::string& text, const std::string& name, const HeaderList& request) {
    text += '\n';
    text += name;
    for (const HeaderField& field : request) {
        if (field.id != Field::cookie) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::size_t end = rest.find(';');
            const std::string_view pair = trim(rest.substr(0, end));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            if (may_hold(pair, name)) text.append(1, ';').append(pair);
        }
    }
}

}  // namespace

std::uint64_t cache_hash(std::string_view text) noexcept {
    static const HashSeed drawn;
    return XXH3_64bits_withSecretandSeed(text.data(), text.size(), drawn.secret.data(),
                                         drawn.secret.size(), drawn.seed);
}

std::string_view canonical_authority(std::string_view scheme, std::string_view authority,
                                     Arena& arena) {
    if (is_plain_name(authority)) return authority;
    const auto parts = split_authority(scheme, authority);
    if (!parts) return {};
    const bool plain = is_lower(parts->host);
    if (plain && parts->port.empty()) return parts->host;
    if (plain && parts->host.size() + 1 + parts->port.size() == authority.size()) return authority;
    const std::size_t size =
        parts->host.size() + (parts->port.empty() ? 0 : 1 + parts->port.size());
    char* const text = arena.take(size);
    char* at = std::transform(parts->host.begin(), parts->host.end(), text, lower);
    if (!parts->port.empty()) {
        *at++ = ':';
        parts->port.copy(at, parts->port.size());
    }
    return {text, size};
}

std::string_view counting_target(std::string_view target, const config::CacheKeyRules& rules,
                                 Arena& arena) {
    const std::size_t question = target.find('?');
    if (rules.ignore_query.empty() || question == std::string_view::npos) return target;
    const std::string_view query = target.substr(question + 1);
    std::string_view rest = query;
    bool any = false;
    while (!rest.empty() && !any)
        any = is_ignored(pop_parameter(rest), rules);
    if (!any) return target;

    char* const text = arena.take(target.size());
    char* at = text + target.copy(text, question);
    char separator = '?';
    rest = query;
    while (!rest.empty()) {
        const std::string_view parameter = pop_parameter(rest);
        if (is_ignored(parameter, rules)) continue;
        *at++ = separator;
        at += parameter.copy(at, parameter.size());
        separator = '&';
    }
    return {text, static_cast<std::size_t>(at - text)};
}

CacheReason make_key(const config::RouteCache& route, std::string_view scheme,
                     const RequestHead& request, std::string_view target, Arena& arena,
                     CacheKey& into, std::string_view told_host) {
    into.text.clear();
    into.hash = 0;
    const std::string_view authority = canonical_authority(scheme, request.authority, arena);
    if (authority.empty()) return CacheReason::bad_authority;
    if (target.size() > limits::cache_key) return CacheReason::key_too_long;
    into.text.append(route.partition).append(1, '\n');
    into.text.append(scheme).append(1, '\n');
    into.text.append(authority).append(1, '\n');
    into.text.append(target);
    for (const std::string& name : route.key.headers)
        append_header(into.text, name, request.fields);
    for (const std::string& name : route.key.cookies)
        append_cookie(into.text, name, request.fields);
    if (!told_host.empty() && canonical_authority(scheme, told_host, arena) != authority) {
        into.text.append("\nx-forwarded-host: ").append(told_host);
    }
    if (into.text.size() > limits::cache_key) return CacheReason::key_too_long;
    into.hash = place_of(into.text).hash;
    return CacheReason::none;
}

CacheKeyParts parts_of(std::string_view text) noexcept {
    CacheKeyParts parts;
    parts.partition = pop_line(text);
    parts.scheme = pop_line(text);
    parts.authority = pop_line(text);
    parts.target = pop_line(text);
    parts.chosen = text;
    return parts;
}

}  // namespace scrollgate
