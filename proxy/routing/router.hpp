// Router: the first route whose match holds. Immutable after construction; all workers read it.
//
// "First match wins" over up to 10,000 routes without trying each: routes are indexed by host and
// by path, candidates are met in file order.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "config/model.hpp"
#include "core/message.hpp"

namespace scrollgate {

class Router {
  public:
    /// Keeps no reference to `routes`. Throws std::invalid_argument for a regex that does not
    /// compile (the loader has refused it before).
    explicit Router(const std::vector<config::Route>& routes);
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;

    /// The index of the route for this request, or nothing. `listener` is the listener's name,
    /// `path` the normalised path; host is compared without case, port and trailing dot.
    /// path_prefix matches on segment borders: /a matches /a and /a/b, not /ab.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view listener, std::string_view path,
                                                  const RequestHead& head) const;

  private:
    struct Index;
    std::unique_ptr<Index> index_;
};

}  // namespace scrollgate
