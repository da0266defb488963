// Fields that end at this hop (RFC 9110 section 7.6.1). Version-neutral: HTTP/2 ends use it, too.
#pragma once

#include "core/header_list.hpp"

namespace scrollgate {

/// Removes Connection, Keep-Alive, Proxy-Connection, Proxy-Authenticate(no: end-to-end to the
/// client is kept), TE, Transfer-Encoding, Upgrade, HTTP2-Settings, and every field that
/// Connection names, except those whose removal would change the message's meaning: Host,
/// Content-Length, Cache-Control, Authorization, Cookie, X-Forwarded-*, Forwarded, Via and such.
void remove_hop_by_hop(HeaderList& fields);

/// Drops fields whose name has an underscore: CGI-style origins read them as the name with a dash,
/// so they could forge a field that this proxy sets.
void remove_underscored(HeaderList& fields);

}  // namespace scrollgate
