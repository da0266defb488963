// explain_url() where the route has a cache: key, rule, what is stored, and what would answer.
#pragma once

#include "proxy/admin/explain.hpp"
#include "proxy/caching/url_route.hpp"

namespace scrollgate {

struct CacheQuestion {
    const PlainUrl& url;
    const UrlRoute& found;     ///< of a route with a cache, or without: then that is said
    const HeaderList& fields;  ///< of the request, as they are when it is routed
};

/// Adds to `all`. Control thread and commands.
void explain_cache(const CacheQuestion& asked, const ExplainWorld& world, Explanation& all);

}  // namespace scrollgate
