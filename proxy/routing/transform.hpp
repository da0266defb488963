// What a route changes about a message: path rewrite, header rules, redirect target.
// Compiled once per Snapshot, read by all workers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/model.hpp"
#include "core/message.hpp"
#include "core/result.hpp"

namespace scrollgate {

/// The path that is forwarded instead of the one that was asked for.
///
/// `strip_prefix` goes by segment borders: without /metadata, /metadata/7 is /7, /metadata is /,
/// and /metadata2 stays. `regex` replaces its first (leftmost) match by `to`, where \0 is the match
/// and \1 ... \9 its groups; a path without a match stays. The outcome begins with exactly one '/'
/// if anything was changed, so that no rewrite makes a target that reads like "//host".
class PathRewrite {
  public:
    /// Throws std::invalid_argument for a regex that does not compile, and for a `to` that names a
    /// group that the regex lacks or that holds '?', '#' or another byte that no path may have.
    explicit PathRewrite(const config::Rewrite& rewrite);
    ~PathRewrite();
    PathRewrite(PathRewrite&&) noexcept;
    PathRewrite& operator=(PathRewrite&&) noexcept;

    /// The path to forward: a view into `path` (which starts with '/') or into `storage`. What a
    /// regex makes is normalised again; bad_path if that refuses it, because groups that are put
    /// together anew can spell dot segments. Any thread.
    [[nodiscard]] Result<std::string_view> apply(std::string_view path, std::string& storage) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Applies remove, then set (replaces every field of that name), then add. The views that it adds
/// point into `rules`.
void apply(const config::HeaderRules& rules, HeaderList& fields);

/// Removes fields whose names have underscores and read as one that the rules set, add or remove:
/// what gRPC calls may have of such names (hop_by_hop.hpp).
void remove_disguised(const config::HeaderRules& rules, HeaderList& fields);

/// The Location of a redirect: `redirect.to` with its placeholders filled in. {scheme} is the
/// argument; {host} the authority without port; {path} and {query} (without '?') and {uri} (path,
/// and query if there is one) as received. Other braces stay. Bytes that could end the field, or
/// that browsers read as something else (white space, controls, backslash, quotes, angle
/// brackets, non-ASCII), come out percent-encoded. A result begins with "//" only if `redirect.to`
/// itself does: a client's "//evil.example" is no way to another host.
[[nodiscard]] std::string redirect_location(const config::Redirect& redirect,
                                            std::string_view scheme, const RequestHead& head);

}  // namespace scrollgate
