// Unsafe requests invalidate what is stored for their target (RFC 9111 section 4.4), and the fields
// of a request that a cache must not let decide about a shared response.
#pragma once

#include <string_view>
#include <vector>

#include "config/model.hpp"
#include "core/arena.hpp"
#include "core/message.hpp"

namespace scrollgate {

struct UrlParts {
    std::string_view scheme, authority, target;  ///< canonical
};

/// The URLs that a successful (2xx, 3xx) answer to an unsafe request makes invalid: its target, and
/// Location and Content-Location if they have the same origin. Empty for safe methods and for
/// failures. Views into the arguments and `arena`.
[[nodiscard]] std::vector<UrlParts> invalidated_by(const RequestHead& request,
                                                   std::string_view scheme, std::string_view target,
                                                   const ResponseHead& response, Arena& arena);

/// Removes fields that origins are known to obey and that are in no key: X-Original-URL,
/// X-Rewrite-URL, X-Host, X-Forwarded-Server, X-Forwarded-Port, X-Forwarded-Scheme,
/// X-Forwarded-Prefix, X-HTTP-Method-Override, Forwarded and their kin ("cache poisoning", Kettle
/// 2018), and X-Client-Cert-Subject, for what one client may see is not for all; but those that are
/// part of the key stay. Before the proxy adds fields of its own and of the
/// route.
void remove_unkeyed(HeaderList& request, const config::CacheKeyRules& key);

}  // namespace scrollgate
