// Vary (RFC 9110 section 12.5.5, RFC 9111 section 4.1): which of several responses a request gets.
//
// A variant is kept with the names and the normalised values of the request fields that chose it,
// as lines "name: value", or "name" for a field that was absent. Accept-Encoding is normalised to
// the codings that matter (br, gzip, zstd, in one order, without weights; refused ones and unknown
// ones go), Accept-Language to lower case without white space; what is normalised is also what is
// forwarded (normalise_request()), so that one client's spelling is never answered to another
// one's. All other fields count as they are, because only their own specification knows which
// spellings are the same (9111 4.1); several lines are one list (9110 5.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/reason.hpp"
#include "config/model.hpp"
#include "core/arena.hpp"
#include "core/message.hpp"

namespace scrollgate {

/// Appends the variant lines of a response with these fields to `request`; none for Host, which the
/// key has. Reasons: none (nothing is appended without Vary), vary_all, vary_too_much.
[[nodiscard]] CacheReason append_vary(std::string& lines, const HeaderList& response,
                                      const HeaderList& request);

/// One of the variant lines `lines` is that of the field `name`.
[[nodiscard]] bool varies_by(std::string_view lines, std::string_view name) noexcept;
/// The lines of the variant that `request` chooses, if responses vary by `names`: lines, too.
[[nodiscard]] std::string variant_of(std::string_view names, const HeaderList& request);
/// The names in a variant's lines, each with a line feed.
[[nodiscard]] std::string vary_names(std::string_view lines);

/// `request` would have chosen the variant with these lines. Does not allocate for usual fields.
[[nodiscard]] bool vary_matches(std::string_view lines, const HeaderList& request);

/// The same for one request, which outlives it and does not change, and many variants: what is dear
/// is made once, and each comparison ends with the first difference.
class VaryMatcher {
  public:
    explicit VaryMatcher(const HeaderList& request) noexcept : request_(request) {}
    [[nodiscard]] bool matches(std::string_view lines);

  private:
    [[nodiscard]] bool line_matches(std::string_view line);

    const HeaderList& request_;
    std::optional<std::string_view> codings_;
};

/// Some name in `lines` is one that the proxy itself sets on the way to the origin (X-Forwarded-*,
/// Forwarded, X-Real-IP, Via, X-Request-Id, X-Client-Cert-Subject) or that `rules` change: it can
/// only be compared after the request was prepared.
[[nodiscard]] bool vary_needs_prepared(std::string_view lines,
                                       const config::HeaderRules& rules) noexcept;

/// Some name in `lines` is one that the proxy sets by who asks and how (his address, his HTTP
/// version, the request's id): who chooses this variant cannot be told without him.
[[nodiscard]] bool varies_by_client(std::string_view lines) noexcept;

/// Replaces the values that are normalised; for requests whose response may be stored.
void normalise_request(HeaderList& request, Arena& arena);

}  // namespace scrollgate
