// URLs as the bench tool takes them: http or https, with a target that may hold `{n}`.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/plan/plan.hpp"

namespace scrollgate::bench {

/// Input that cannot be used: one line for the user.
class BadInput : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct TargetUrl {
    Origin origin;
    std::string target;  ///< path and query; at least "/"
};

/// Throws BadInput.
[[nodiscard]] TargetUrl parse_url(std::string_view text);

/// A path and query that may be sent, `{n}` included; throws BadInput.
void check_target(std::string_view target);

}  // namespace scrollgate::bench
