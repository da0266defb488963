// What a GET for a URL would get, and why: route, cache key, freshness, pools. For
// `scrollgate explain` and GET /api/v1/cache/explain. Says what requests do because it asks the
// same functions as they do. Control thread and commands.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/store/store.hpp"
#include "core/clock.hpp"
#include "proxy/admin/status.hpp"
#include "proxy/server/snapshot.hpp"

namespace scrollgate {

/// Names and sentences, in the order in which they are read.
using Explanation = std::vector<std::pair<std::string, std::string>>;

/// What a running process knows beside its configuration.
struct ExplainWorld {
    const CacheStore* store = nullptr;  ///< null: nobody can say what is stored
    const Status* status = nullptr;     ///< null: nor how pools are
    TimePoint now{};
};

/// For a GET of `url` ("http://host/path"; http if it names no scheme) with `fields` and no others
/// of its own. A URL that is none is said so, too, under "wrong".
[[nodiscard]] Explanation explain_url(const Snapshot& snapshot, std::string_view url,
                                      const HeaderList& fields, const ExplainWorld& world);

/// The arithmetic of RFC 9111 section 4.2 in a sentence: "lifetime 60 s - age 12 s = fresh for 48 s
/// more". Also what X-Scrollgate-Explain says.
[[nodiscard]] std::string freshness_text(const Freshness& freshness, TimePoint now);

/// Lines of append_vary() in one: "accept-encoding: br, gzip; accept-language (absent)".
[[nodiscard]] std::string vary_text(std::string_view lines);

/// Which variants of `key` are stored, for a request that has `fields` and chooses none of them.
[[nodiscard]] std::string variants_text(const CacheStore& store, const CacheKey& key,
                                        const HeaderList& fields);

/// "partition metadata, http, a.example, /x?y"; with the chosen headers and cookies if there are.
[[nodiscard]] std::string key_text(std::string_view key);

}  // namespace scrollgate
