// What a route changes about a message: path rewrite, header rules, redirect target.
// Compiled once per Snapshot, read by all workers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/model.hpp"
#include "core/message.hpp"

namespace scrollgate {

class PathRewrite {
  public:
    /// Throws std::invalid_argument for a regex that does not compile.
    explicit PathRewrite(const config::Rewrite& rewrite);
    ~PathRewrite();
    PathRewrite(PathRewrite&&) noexcept;
    /// The path to forward: `path` itself, or a view into `storage`. Always starts with '/'.
    [[nodiscard]] std::string_view apply(std::string_view path, std::string& storage) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Applies remove, then set, then add. The views that it adds point into `rules`.
void apply(const config::HeaderRules& rules, HeaderList& fields);

/// Fills {scheme} {host} {path} {query} {uri} of a redirect's target. Values cannot inject CR, LF.
[[nodiscard]] std::string redirect_location(const config::Redirect& redirect,
                                            std::string_view scheme, const RequestHead& head);

}  // namespace scrollgate
