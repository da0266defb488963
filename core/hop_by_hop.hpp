// Fields that end at this hop (RFC 9110 section 7.6.1). Version-neutral: HTTP/2 ends use it, too.
//
// Connection and what it rules must be read (wants_close, upgrades) before it is removed here.
// No function allocates. One worker.
#pragma once

#include <cstddef>

#include "core/header_list.hpp"
#include "core/message.hpp"

namespace scrollgate {

/// How many options Connection may name in one message; head parsers refuse more.
inline constexpr std::size_t connection_options = 32;

/// One of the fields that remove_hop_by_hop() removes by themselves.
[[nodiscard]] bool ends_at_hop(Field id) noexcept;

/// An HTTP/1.1 request that asks for one other protocol, which the origin may agree to; not h2c.
[[nodiscard]] bool asks_for_upgrade(const RequestHead& request);

/// Removes, both ways:
/// - Connection, Keep-Alive, Proxy-Connection, TE, Transfer-Encoding, Upgrade, HTTP2-Settings. The
///   body's framing lives on in the head's `body`; the end that writes the message makes
///   Transfer-Encoding or Content-Length from it, and skips a Content-Length found in the list.
///   A tunnel puts Connection and Upgrade back itself.
/// - Proxy-Authenticate and Proxy-Authorization: they speak between a client and a forward proxy.
///   Credentials meant for one must not reach an origin, and an origin must not ask for them.
/// - every other field that Connection names, unless its id is known (field.hpp): those steer
///   framing, routing, authentication, caching or forwarding, so that a client who names Host,
///   Content-Length, Cache-Control, Authorization, X-Forwarded-For or the like cannot have them
///   dropped on the way; nor names that begin with Content- or X-Forwarded-, nor
///   X-Client-Cert-Subject. Only the first 32 options count.
void remove_hop_by_hop(HeaderList& fields);

/// Removes the last group of these alone. Of a request, before anything is decided by its fields:
/// what is routed by or part of a key, and is then taken away, would give one request's answer to
/// another.
void remove_named_by_connection(HeaderList& fields);

/// Drops fields whose name has an underscore: CGI-style origins read them as the name with a dash,
/// so they could forge a field that this proxy sets.
void remove_underscored(HeaderList& fields);

/// The same for a gRPC call, whose metadata may have such names ("a-z 0-9 _ - ."): drops those
/// alone that read as a field which we set, replace, or end at this hop.
void remove_disguised(HeaderList& fields);

/// Calls `visit(option)` for each element of one Connection value, in order, without white space;
/// empty elements are left out (RFC 9110 section 5.6.1).
template <class Visit>
void for_each_option(std::string_view value, Visit&& visit) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == ','; };
    std::size_t at = 0;
    while (at < value.size()) {
        if (blank(value[at])) {
            ++at;
            continue;
        }
        const std::size_t comma = value.find(',', at);
        std::string_view option = value.substr(at, comma - at);
        at += option.size();
        while (blank(option.back()))
            option.remove_suffix(1);
        visit(option);
    }
}

}  // namespace scrollgate
