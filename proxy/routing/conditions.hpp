// Conditions: what a route's match asks for beyond host and plain path. Compiled once per
// Snapshot, then only read, by any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.hpp"
#include "core/message.hpp"

namespace re2 {
class RE2;
}

namespace scrollgate {

class Conditions {
  public:
    /// Keeps no reference to `match`. Throws std::invalid_argument for a bad regex.
    explicit Conditions(const config::Match& match);
    ~Conditions();
    Conditions(Conditions&&) noexcept;

    /// Whether all of them hold. Allocates nothing.
    [[nodiscard]] bool hold(std::string_view listener, std::string_view path,
                            const RequestHead& head) const;

  private:
    struct Header {
        std::string name, value;
        Field id;
    };
    [[nodiscard]] static bool has(const HeaderList& fields, const Header& wanted) noexcept;

    std::string listener_;
    std::vector<std::string> methods_;
    std::vector<Header> headers_;
    std::vector<std::pair<std::string, std::string>> query_;
    std::unique_ptr<re2::RE2> path_regex_;
};

/// Whether the first parameter `name` of `query` (without '?') has exactly this value. Names and
/// values of the query are percent-decoded once and '+' is a space; malformed escapes stand for
/// themselves. Parameters are separated by '&' alone.
[[nodiscard]] bool query_has(std::string_view query, std::string_view name,
                             std::string_view value) noexcept;

}  // namespace scrollgate
