// Router: the first route whose match holds. Immutable after construction; all workers read it.
//
// "First match wins" over up to 10,000 routes without trying each: routes are indexed by host and
// by path (route_index.hpp), what else a match asks for is tried in file order (conditions.hpp).
// Only routes that tell themselves apart by path_regex, headers, query, methods or listener alone
// are tried one after the other. A search allocates nothing.
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

    /// The index of the first route for this request, or nothing. `listener` is the listener's
    /// name, `path` the normalised path. A match holds if all it asks for does:
    /// - host: equal to head.authority without case, port and one trailing dot; "*.example.com"
    ///   stands for one or more labels below example.com, not for example.com itself
    /// - path_exact: equal. path_prefix: on segment borders, /a matches /a, /a/ and /a/b, not /ab;
    ///   /a/ matches /a/ and /a/b, not /a. Both are normalised like paths. path_regex: RE2, the
    ///   whole path. A route that asks for a path never matches "*"
    /// - methods: one of them, case counts; GET does not stand for HEAD
    /// - headers: for each, some field of that name has exactly that value
    /// - query: for each, the first parameter of that name has exactly that value, after one
    ///   percent-decoding of name and value ('+' is a space, as forms write it); a parameter
    ///   without '=' has the value ""
    /// Any thread.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view listener, std::string_view path,
                                                  const RequestHead& head) const;

  private:
    struct Table;
    std::unique_ptr<Table> table_;
};

}  // namespace scrollgate
