// Invalidation: references are resolved as RFC 3986 section 5.2 says.
#include "cache/rules/invalidation.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "cache/key.hpp"

namespace scrollgate {
namespace {

/// Length of the scheme in front of a colon; 0: a relative reference (RFC 3986 4.2).
std::size_t scheme_length(std::string_view reference) noexcept {
    const std::size_t end = reference.find_first_of(":/?#");
    if (end == std::string_view::npos || reference[end] != ':') return 0;
    return end;
}

/// RFC 3986 5.2.4, in place: the path in `text[0, size)`, which begins with a slash. Its new size.
std::size_t remove_dot_segments(char* text, std::size_t size) noexcept {
    std::size_t out = 0;
    std::size_t in = 0;
    while (in < size) {
        const std::string_view rest(text + in, size - in);
        const std::size_t length = std::min(rest.find('/', 1), rest.size());
        const std::string_view segment = rest.substr(0, length);
        const bool last = length == rest.size();
        if (segment == "/." || segment == "/..") {
            if (segment == "/..") {
                while (out > 0 && text[--out] != '/') {
                }
            }
            if (last) text[out++] = '/';
        } else {
            std::copy_n(text + in, length, text + out);
            out += length;
        }
        in += length;
    }
    return out;
}

/// Path and query of `reference`, which holds neither scheme nor authority, seen from `base`.
std::string_view resolve_path(std::string_view reference, std::string_view base, Arena& arena) {
    const std::string_view base_path = base.substr(0, base.find('?'));
    if (reference.empty()) return base;
    if (reference.front() == '?') return arena.join({base_path, reference});
    std::string_view folder;
    if (reference.front() != '/') folder = base_path.substr(0, base_path.rfind('/') + 1);
    const std::size_t question = std::min(reference.find('?'), reference.size());
    const std::size_t path_size = folder.size() + question;
    char* const text = arena.take(folder.size() + reference.size());
    char* const behind = std::copy(folder.begin(), folder.end(), text);
    std::copy(reference.begin(), reference.end(), behind);
    const std::size_t size = remove_dot_segments(text, path_size);
    const std::string_view query = reference.substr(question);
    std::copy(query.begin(), query.end(), text + size);
    return {text, size + query.size()};
}

/// The target that `reference` names on the origin `own`; nothing: another origin, or no URL.
std::optional<std::string_view> on_same_origin(std::string_view reference, const UrlParts& own,
                                               Arena& arena) {
    reference = reference.substr(0, reference.find('#'));
    if (const std::size_t length = scheme_length(reference); length != 0) {
        if (!equal_no_case(reference.substr(0, length), own.scheme)) return std::nullopt;
        reference.remove_prefix(length + 1);
        if (!reference.starts_with("//")) return std::nullopt;
    }
    if (!reference.starts_with("//")) return resolve_path(reference, own.target, arena);
    reference.remove_prefix(2);
    const std::size_t end = std::min(reference.find_first_of("/?"), reference.size());
    const std::string_view authority =
        canonical_authority(own.scheme, reference.substr(0, end), arena);
    if (authority != own.authority) return std::nullopt;
    reference.remove_prefix(end);
    if (!reference.starts_with('/')) return arena.join({"/", reference});
    return resolve_path(reference, own.target, arena);
}

/// Fields by which origins let a request choose host, path, scheme or method.
constexpr std::array<std::string_view, 55> obeyed{
    "Front-End-Https",
    "X-Backend-Host",
    "X-Base-Path",
    "X-Envoy-Original-Path",
    "X-Forward-Host",
    "X-Forwarded",
    "X-Forwarded-Authority",
    "X-Forwarded-Base",
    "X-Forwarded-By",
    "X-Forwarded-Context",
    "X-Forwarded-Method",
    "X-Forwarded-Path",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Protocol",
    "X-Forwarded-Request-URI",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-SSL",
    "X-Forwarded-URI",
    "X-Forwarded-URL",
    "X-Host",
    "X-Host-Override",
    "X-HTTP-DestinationURL",
    "X-HTTP-Host-Override",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-HTTP-Path-Override",
    "X-Ingress-Path",
    "X-Invoke-Output",
    "X-Invoke-Path",
    "X-Invoke-Query",
    "X-Invoke-Status",
    "X-Matched-Path",
    "X-Method-Override",
    "X-Middleware-Prefetch",
    "X-Middleware-Subrequest",
    "X-Nextjs-Data",
    "X-Now-Route-Matches",
    "X-Original-Forwarded-Host",
    "X-Original-Host",
    "X-Original-Method",
    "X-Original-Path",
    "X-Original-URI",
    "X-Original-URL",
    "X-Override-URL",
    "X-Proxy-URL",
    "X-Real-Host",
    "X-Replaced-Path",
    "X-Request-URI",
    "X-Rewrite-URL",
    "X-Scheme",
    "X-Script-Name",
    "X-SSL",
    "X-URL-Scheme",
};

}  // namespace

std::vector<UrlParts> invalidated_by(const RequestHead& request, std::string_view scheme,
                                     std::string_view target, const ResponseHead& response,
                                     Arena& arena) {
    std::vector<UrlParts> urls;
    if (is_safe(request.method) || response.status < 200 || response.status > 399) return urls;
    const UrlParts own{scheme, canonical_authority(scheme, request.authority, arena), target};
    if (own.authority.empty() || !target.starts_with('/')) return urls;
    urls.push_back(own);
    for (const Field id : {Field::location, Field::content_location}) {
        const HeaderField* const field = response.fields.find(id);
        if (field == nullptr || field->value.size() > limits::cache_key) continue;
        const auto other = on_same_origin(field->value, own, arena);
        if (other && *other != target) urls.push_back({own.scheme, own.authority, *other});
    }
    return urls;
}

void remove_unkeyed(HeaderList& request, const config::CacheKeyRules& key) {
    request.remove_if([&key](const HeaderField& field) {
        if (field.id != Field::unknown && field.id != Field::forwarded) return false;
        const bool listed =
            field.id == Field::forwarded || equal_no_case(field.name, client_subject_name) ||
            std::any_of(obeyed.begin(), obeyed.end(), [&field](std::string_view name) {
                return equal_no_case(field.name, name);
            });
        return listed &&
               std::none_of(key.headers.begin(), key.headers.end(),
                            [&field](const auto& name) { return equal_no_case(field.name, name); });
    });
}

}  // namespace scrollgate
