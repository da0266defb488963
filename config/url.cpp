#include "config/url.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/schema.hpp"
#include "core/net/address.hpp"

namespace scrollgate::config {
namespace {

Parsed<Url> refuse_url(const std::string& text, std::string_view words) {
    return refuse<Url>(fmt::format("{} {}", quoted(text), words));
}

/// Finds the scheme; what is wrong with it, or nothing.
std::string wrong_scheme(std::string_view name, const std::vector<Scheme>& schemes,
                         const Scheme*& found) {
    std::vector<std::string_view> known;
    for (const Scheme& scheme : schemes) {
        if (scheme.name == name) found = &scheme;
        known.push_back(scheme.name);
    }
    if (found != nullptr) return {};
    return fmt::format("has an unknown scheme {}; use {}{}", quoted(name), either(known),
                       did_you_mean(name, known));
}

}  // namespace

Parsed<Url> parse_url(const std::string& text, const std::vector<Scheme>& schemes,
                      std::string_view example) {
    const std::size_t scheme_end = text.find("://");
    if (scheme_end == text.npos)
        return refuse_url(text, fmt::format("is not a URL; write for example {}", example));
    const Scheme* scheme = nullptr;
    const std::string name = text.substr(0, scheme_end);
    if (const std::string wrong = wrong_scheme(name, schemes, scheme); !wrong.empty())
        return refuse_url(text, wrong);
    std::string_view authority = std::string_view(text).substr(scheme_end + 3);
    const std::size_t slash = std::min(authority.find_first_of("/?#"), authority.size());
    std::string path(authority.substr(slash));
    authority = authority.substr(0, slash);
    // The text is not repeated: it may hold a password.
    if (authority.find('@') != authority.npos)
        return refuse<Url>("a user name or password is not possible here");
    const auto parsed = parse_host_port(authority);
    if (!parsed || parsed->host.empty() || authority.ends_with(":0"))
        return refuse_url(text, fmt::format("is not a URL; write for example {}", example));
    const std::uint16_t port = parsed->port != 0 ? parsed->port : scheme->port;
    if (port == 0)
        return refuse_url(text, fmt::format("has no port; write for example {}", example));
    if (!scheme->path && !path.empty() && path != "/")
        return refuse_url(text, fmt::format("holds a path, which {} has no use for; write {}://{}",
                                            name, name, authority));
    if (scheme->path) {
        if (!path.starts_with('/')) path = fmt::format("/{}", path);
        if (const std::string wrong = wrong_target(path); !wrong.empty()) return refuse<Url>(wrong);
    } else {
        path.clear();
    }
    return {Url{name, parsed->host, port, std::move(path)}, {}};
}

std::string without_query(const std::string& url, std::string_view word) {
    const std::size_t query = url.find('?');
    return query == url.npos ? url : fmt::format("{}?({})", url.substr(0, query), word);
}

std::string wrong_target(const std::string& target) {
    if (!target.starts_with('/')) return fmt::format("{} does not start with '/'", quoted(target));
    if (target.size() > limits::uri_bytes) return "longer than a request target may be";
    if (target.find('#') != target.npos)
        return fmt::format("{} holds a fragment, which is never sent", quoted(target));
    const bool strange = std::any_of(target.begin(), target.end(), [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f;
    });
    if (strange)
        return fmt::format("{} holds a blank or a character beyond ASCII; write it percent-encoded",
                           quoted(target));
    return {};
}

}  // namespace scrollgate::config
